"""What ``[audience]`` in ``rekindle.toml`` may say, what it lacks, and the secrets beside it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from importlib.util import find_spec
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field

from rekindle.config import ChannelSettings, Cost, Duration, Place, Settings, Text
from rekindle.errors import DeliveryError
from rekindle.messages import Finding, OutletEntry, Severity, Surroundings

META_TOKEN = "REKINDLE_META_TOKEN"
GOOGLE_ACCOUNT = "REKINDLE_GOOGLE_ACCOUNT"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

Url = Annotated[Text, Field(pattern=r"^https?://[^\s]+$")]
Number = Annotated[str, Field(pattern=r"^[0-9]{1,30}$")]
AccountNumber = Annotated[str, Field(pattern=r"^([0-9][0-9-]{0,29})?$")]
ListName = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
Audiences = dict[ListName, Number]
NAMED = "What steps call an audience, and its number there."


class FilesSettings(Settings):
    """A folder with a folder for each list: `members.csv`, and a file of each change."""

    path: Place = Field("state/audiences", description="Folder, relative to the workspace.")


class MetaSettings(Settings):
    """Custom Audiences of Meta. The token comes from ``REKINDLE_META_TOKEN``."""

    audiences: Audiences = Field({}, description=NAMED)
    api_url: Url = Field("https://graph.facebook.com", description="Where Meta is asked.")
    version: str = Field(
        "v25.0", pattern=r"^v[0-9]{1,3}\.[0-9]{1,2}$", description="Version of its API."
    )


class GoogleSettings(Settings):
    """Audiences of Google, by a service account of ``REKINDLE_GOOGLE_ACCOUNT``. Extra `push`."""

    audiences: Audiences = Field({}, description=NAMED)
    account: AccountNumber = Field("", description="The account the audiences are of.")
    login_account: AccountNumber = Field("", description="The account that manages it, if any.")
    account_type: Literal[
        "GOOGLE_ADS", "DISPLAY_VIDEO_PARTNER", "DISPLAY_VIDEO_ADVERTISER", "DATA_PARTNER"
    ] = Field("GOOGLE_ADS", description="What kind of account it is.")
    personalization: bool = Field(
        True, description="Whether their yes covers personal ads; sent as adPersonalization."
    )
    api_url: Url = Field("https://datamanager.googleapis.com", description="Where it is asked.")


class AudienceSettings(ChannelSettings):
    """Ad audiences: lists of people, by the hash of their e-mail address, who are shown ads."""

    outlet: Literal["audience_csv", "audience_meta", "audience_google"] = Field(
        "audience_csv", description="audience_csv writes files; the others tell an ad system."
    )
    cost: Cost = Field(Decimal(0), description="Of one person on a list, in the currency.")
    stay: Duration = Field(
        timedelta(days=30), description="So long somebody stays on a list, whatever happens."
    )
    timeout_seconds: int = Field(60, gt=0, le=600, description="How long to wait for an answer.")
    csv: FilesSettings = FilesSettings()
    meta: MetaSettings = MetaSettings()
    google: GoogleSettings = GoogleSettings()

    @property
    def destinations(self) -> Collection[str] | None:
        """Return the lists that steps may name; a file may have any name."""
        named: Mapping[str, Collection[str]] = {
            "audience_meta": self.meta.audiences,
            "audience_google": self.google.audiences,
        }
        return named.get(self.outlet)


STARTER = """\
# "audience_csv" writes lists of hashed addresses; "audience_meta" and "audience_google" tell them.
# [audience]
# outlet = "audience_csv"
# stay = "30 days"
"""


def starter(shop_name: str) -> str:
    """Return the section of a new workspace."""
    return STARTER


def check(
    settings: AudienceSettings, outlet: OutletEntry, surroundings: Surroundings
) -> Iterator[Finding]:
    """Yield what the settings lack."""
    for name in outlet.secrets:
        if not surroundings.secrets.get(name):
            yield _lacks(name, f"set it, or {name}_FILE, in the environment")
    if outlet.name == "audience_meta":
        yield from _check_list("meta", settings.meta.audiences, settings.meta.api_url)
    if outlet.name == "audience_google":
        yield from _check_list("google", settings.google.audiences, settings.google.api_url)
        if not settings.google.account:
            yield _lacks("audience.google.account", "copy the customer ID from Google Ads")
        if not _has_google():
            yield Finding(
                Severity.REFUSES,
                "audience_google needs google.auth",
                "pip install 'rekindle[push]'",
            )


def look(
    settings: AudienceSettings, outlet: OutletEntry, surroundings: Surroundings
) -> Iterator[Finding]:
    """Yield what the ad system itself says of the settings; nobody is put on a list for it."""
    if any(one.severity is Severity.REFUSES for one in check(settings, outlet, surroundings)):
        return
    from rekindle.channels.audience.members.trying import try_out

    for name in settings.destinations or ():
        try:
            problem = try_out(settings, outlet, surroundings.secrets, name)
        except DeliveryError as error:
            problem = str(error)
        if problem:
            remedy = "until it is mended nobody is put on it or taken off"
            yield Finding(Severity.WARNS, f"the audience {name}: {problem}", remedy)


def _check_list(name: str, audiences: Mapping[str, str], url: str) -> Iterator[Finding]:
    if not audiences:
        yield _lacks(f"audience.{name}.audiences", 'name one, like lapsed-buyers = "238512345"')
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        yield Finding(Severity.REFUSES, f"audience.{name}.api_url is {url!r}", "use https")


def _lacks(name: str, remedy: str) -> Finding:
    return Finding(Severity.REFUSES, f"{name} is empty", remedy)


def _has_google() -> bool:
    try:
        return find_spec("google.auth") is not None
    except ModuleNotFoundError:
        return False
