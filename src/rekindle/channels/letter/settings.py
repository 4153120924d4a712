"""What ``[letter]`` in ``rekindle.toml`` may say, what it lacks, and the secrets beside it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from importlib.util import find_spec
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

from rekindle.config import ChannelSettings, Cost, Place, Settings, Text
from rekindle.messages import Finding, OutletEntry, Severity, Surroundings

LOB_KEY = "REKINDLE_LOB_KEY"
LOB_REPORTS = "REKINDLE_LOB_WEBHOOK_SECRET"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class LetterFolderSettings(Settings):
    """A folder that receives one ``.txt`` file a letter."""

    path: Place = Field("state/letters", description="Folder, relative to the workspace.")


class LetterPdfSettings(Settings):
    """A folder that receives one PDF a letter, and `manifest.csv` for who prints them."""

    path: Place = Field("state/print", description="Folder, relative to the workspace.")
    paper: Literal["a4", "us-letter"] = Field("a4", description="What it is printed on.")
    font: Text = Field(
        "Libertinus Serif",
        min_length=1,
        description="A font that this machine has. The one named here comes with typst and writes "
        "Latin, Greek, Cyrillic and Hebrew.",
    )
    max_pages: int = Field(2, ge=1, le=20, description="A letter that takes more is not written.")


class LobSettings(Settings):
    """Lob. Its key comes from ``REKINDLE_LOB_KEY``."""

    sender: str = Field(
        "",
        pattern=r"^(adr_[0-9A-Za-z]{1,40})?$",
        max_length=44,
        description="Lob's id of the address it is from.",
    )
    color: bool = Field(False, description="Whether it is printed in colour.")
    mail_type: Literal["usps_first_class", "usps_standard"] = Field(
        "usps_first_class",
        description="What comes back, and is reported, is first class alone.",
    )
    api_url: Text = Field(
        "https://api.lob.com", pattern=r"^https?://[^\s]+$", description="Where it is asked."
    )


class LetterSettings(ChannelSettings):
    """How letters leave the building."""

    outlet: Literal["letter_folder", "letter_pdf", "letter_lob"] = Field(
        "letter_folder", description="letter_folder writes plain text, for nobody to post."
    )
    cost: Cost = Field(
        Decimal("1.20"), description="Of one letter, printed and posted, in the currency."
    )
    return_address: tuple[Text, ...] = Field(
        (), max_length=6, description="Lines of the address it is from and comes back to."
    )
    country: str = Field(
        "",
        pattern=r"^([A-Z]{2})?$",
        max_length=2,
        description="Where letters are posted, like DE; those to any other say it as their "
        "last line. Unset, every letter whose country is known does.",
    )
    language: str = Field(
        "en",
        pattern=r"^[a-z]{2,3}(-[A-Za-z]{2})?$",
        max_length=6,
        description="Of the letters, for whoever has a PDF read aloud.",
    )
    unnamed: Text = Field(
        "To our customer", min_length=1, description="Whom it is to where no name is known."
    )
    stop_text: Text = Field(
        "If you would rather have no letters from us, write to us, and there will be no more.",
        description="At the foot of marketing, unless it shows the way out itself; {link} is the "
        "page on which they end (GDPR art. 21(4)).",
    )
    timeout_seconds: int = Field(30, gt=0, le=600, description="How long to wait for an answer.")
    connections: int = Field(4, ge=1, le=32, description="How many are asked at the same time.")
    folder: LetterFolderSettings = LetterFolderSettings()
    pdf: LetterPdfSettings = LetterPdfSettings()
    lob: LobSettings = LobSettings()


STARTER = """\
# "letter_folder" writes each letter as text; "letter_pdf" writes it ready for a printer, and
# "letter_lob" has Lob print and post it.
# [letter]
# outlet = "letter_folder"
# cost = 1.20  # of one letter, printed and posted
"""


def starter(shop_name: str) -> str:
    """Return the section of a new workspace."""
    return STARTER


def check(
    settings: LetterSettings, outlet: OutletEntry, surroundings: Surroundings
) -> Iterator[Finding]:
    """Yield what the settings lack."""
    if not settings.stop_text.strip():
        yield _lacks(
            "letter.stop_text", "say how letters end; who is written to may object (GDPR art. 21)"
        )
    if outlet.name == "letter_pdf":
        yield from _check_pdf(settings)
    elif outlet.name == "letter_lob":
        yield from _check_lob(settings.lob, surroundings)


def look(
    settings: LetterSettings, outlet: OutletEntry, surroundings: Surroundings
) -> Iterator[Finding]:
    """Yield what Lob says of its key and of the sender's address; no letter is made for it."""
    key = surroundings.secrets.get(LOB_KEY, "")
    if outlet.name == "letter_lob" and key and settings.lob.sender:
        from rekindle.channels.letter.lob.trying import try_key

        yield from try_key(settings, key)


def _check_pdf(settings: LetterSettings) -> Iterator[Finding]:
    if find_spec("typst") is None:
        yield Finding(Severity.REFUSES, "letter_pdf needs typst", "pip install 'rekindle[letters]'")
    if not settings.return_address:
        yield Finding(
            Severity.WARNS,
            "letter.return_address is empty: what cannot be delivered comes back to nobody",
            "name the lines of your address",
        )


def _check_lob(lob: LobSettings, surroundings: Surroundings) -> Iterator[Finding]:
    if not lob.sender:
        yield _lacks("letter.lob.sender", "copy the id of your address from Lob, like adr_…")
    key = surroundings.secrets.get(LOB_KEY, "")
    if not key:
        yield _lacks(LOB_KEY, f"set it, or {LOB_KEY}_FILE, in the environment")
    elif key.startswith("test_"):
        yield Finding(
            Severity.WARNS,
            f"{LOB_KEY} is a key for tests: Lob takes the letters and posts none",
            "set the live key",
        )
    if not surroundings.secrets.get(LOB_REPORTS):
        yield Finding(
            Severity.WARNS,
            f"{LOB_REPORTS} is empty: nobody hears which letters come back",
            "make a webhook to /v1/reports/letter_lob in Lob's dashboard, and set its secret",
        )
    parts = urlsplit(lob.api_url)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        yield Finding(Severity.REFUSES, f"letter.lob.api_url is {lob.api_url!r}", "use https")


def _lacks(name: str, remedy: str) -> Finding:
    return Finding(Severity.REFUSES, f"{name} is empty", remedy)
