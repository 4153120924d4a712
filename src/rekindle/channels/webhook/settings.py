"""What ``[webhook]`` in ``rekindle.toml`` may say, what it lacks, and the secret beside it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

from rekindle.config import ChannelSettings, Cost, Place, Settings, Text
from rekindle.messages import Finding, OutletEntry, Severity, Surroundings

SECRET = "REKINDLE_WEBHOOK_SECRET"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class WebhookFolderSettings(Settings):
    """A folder that receives one ``.json`` file a message."""

    path: Place = Field("state/webhook", description="Folder, relative to the workspace.")


class WebhookSettings(ChannelSettings):
    """How messages reach a system of your own. Signed with ``REKINDLE_WEBHOOK_SECRET``."""

    outlet: Literal["webhook_folder", "webhook_post"] = Field(
        "webhook_folder", description="webhook_folder writes files and posts nothing."
    )
    url: Text = Field(
        "", pattern=r"^(https?://[^\s]+)?$", description="Where each message is posted."
    )
    allow_http: bool = Field(
        False, description="Post names and texts without TLS, inside a network of your own."
    )
    cost: Cost = Field(Decimal(0), description="Of one message, in the currency.")
    timeout_seconds: int = Field(20, gt=0, le=600, description="How long to wait for an answer.")
    connections: int = Field(2, ge=1, le=32, description="How many are posted at the same time.")
    folder: WebhookFolderSettings = WebhookFolderSettings()


def check(
    settings: WebhookSettings, outlet: OutletEntry, surroundings: Surroundings
) -> Iterator[Finding]:
    """Yield what the settings lack."""
    if outlet.name != "webhook_post":
        return
    if not surroundings.secrets.get(SECRET):
        yield Finding(
            Severity.REFUSES,
            f"{SECRET} is empty: nothing could be signed",
            f"set it, or {SECRET}_FILE, in the environment; `openssl rand -base64 32` makes one",
        )
    if not settings.url:
        yield Finding(Severity.REFUSES, "webhook.url is empty", "name where messages are posted")
        return
    url = urlsplit(settings.url)
    if url.scheme != "https" and url.hostname not in LOOPBACK and not settings.allow_http:
        yield Finding(
            Severity.REFUSES,
            f"webhook.url is {settings.url!r}, which anybody on the way can read",
            "use https, or say allow_http = true where the network is your own",
        )
