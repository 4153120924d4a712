"""What ``[inapp]`` in ``rekindle.toml`` may say, what it lacks, and the secret beside it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

from pydantic import Field

from rekindle.config import ChannelSettings, Cost, Place, Settings
from rekindle.messages import Finding, OutletEntry, Severity, Surroundings

SECRET = "REKINDLE_INAPP_SECRET"
SHORTEST_SECRET = 32


class InAppFolderSettings(Settings):
    """A folder that receives one ``.json`` file a message."""

    path: Place = Field("state/inapp", description="Folder, relative to the workspace.")


class InAppSettings(ChannelSettings):
    """What the shop's own app and pages show. Browsers need ``REKINDLE_INAPP_SECRET``."""

    outlet: Literal["inapp_folder", "inapp_kept"] = Field(
        "inapp_folder",
        description="inapp_folder writes files; inapp_kept lets apps and pages ask.",
    )
    cost: Cost = Field(Decimal(0), description="Of one message, in the currency.")
    folder: InAppFolderSettings = InAppFolderSettings()


STARTER = """\
# "inapp_folder" writes each in-app message to a file; "inapp_kept" lets your app ask for them.
# [inapp]
# outlet = "inapp_folder"
"""


def starter(shop_name: str) -> str:
    """Return the section of a new workspace."""
    return STARTER


def check(
    settings: InAppSettings, outlet: OutletEntry, surroundings: Surroundings
) -> Iterator[Finding]:
    """Yield what the settings lack; an app that asks by its server needs no secret."""
    secret = surroundings.secrets.get(SECRET, "")
    if outlet.name != "inapp_kept":
        return
    if not secret:
        yield Finding(
            Severity.NOTES,
            f"{SECRET} is empty, so browsers are shown nothing; servers may ask",
            f"set it, or {SECRET}_FILE, in the environment if pages are to show messages",
        )
    elif len(secret) < SHORTEST_SECRET:
        yield Finding(
            Severity.REFUSES,
            f"{SECRET} has {len(secret)} characters, and could be guessed",
            f"let it have {SHORTEST_SECRET} at least: openssl rand -base64 32",
        )
