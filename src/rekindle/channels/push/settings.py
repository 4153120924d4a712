"""What ``[push]`` in ``rekindle.toml`` may say, what it lacks, and the secrets beside it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from importlib.util import find_spec
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

from rekindle.config import ChannelSettings, Cost, Place, Settings, Text
from rekindle.errors import ConfigError, DeliveryError, TemporaryDeliveryError
from rekindle.messages import Finding, OutletEntry, Severity, Surroundings

VAPID_KEY = "REKINDLE_VAPID_KEY"
ACCOUNT = "REKINDLE_FCM_ACCOUNT"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
EXTRA = {"push_web": ("http_ece", "py_vapid"), "push_fcm": ("google.auth",)}


class PushFolderSettings(Settings):
    """A folder that receives one ``.json`` file a message."""

    path: Place = Field("state/push", description="Folder, relative to the workspace.")


class WebPushSettings(Settings):
    """Web push. Its private key comes from ``REKINDLE_VAPID_KEY``."""

    contact: Text = Field(
        "",
        pattern=r"^((mailto:[^@\s]+@[^@\s]+)|(https://[^\s]+))?$",
        description="Whom a push service may write to: mailto:… or https://… (RFC 8292).",
    )
    services: tuple[Text, ...] = Field(
        (
            "fcm.googleapis.com",
            "push.services.mozilla.com",
            "push.apple.com",
            "notify.windows.com",
        ),
        description="The push services of browsers; nothing else is asked, whatever a card says.",
    )


class FirebaseSettings(Settings):
    """Firebase Cloud Messaging. The service account comes from ``REKINDLE_FCM_ACCOUNT``."""

    project: Text = Field("", description="The project's id; none for that of the account.")
    api_url: Text = Field(
        "https://fcm.googleapis.com", pattern=r"^https?://[^\s]+$", description="Where it is asked."
    )


class PushSettings(ChannelSettings):
    """How push messages leave the building."""

    outlet: Literal["push_folder", "push_web", "push_fcm"] = Field(
        "push_folder", description="push_folder writes files and sends nothing."
    )
    cost: Cost = Field(Decimal(0), description="Of one message, in the currency.")
    timeout_seconds: int = Field(20, gt=0, le=600, description="How long to wait for an answer.")
    connections: int = Field(4, ge=1, le=32, description="How many are asked at the same time.")
    folder: PushFolderSettings = PushFolderSettings()
    web: WebPushSettings = WebPushSettings()
    fcm: FirebaseSettings = FirebaseSettings()


STARTER = """\
# "push_folder" writes each push to a file; "push_web" reaches browsers, "push_fcm" apps.
# [push]
# outlet = "push_folder"
"""


def starter(shop_name: str) -> str:
    """Return the section of a new workspace."""
    return STARTER


def check(
    settings: PushSettings, outlet: OutletEntry, surroundings: Surroundings
) -> Iterator[Finding]:
    """Yield what the settings lack."""
    missing = [name for name in EXTRA.get(outlet.name, ()) if not _is_installed(name)]
    if missing:
        yield Finding(
            Severity.REFUSES,
            f"{outlet.name} needs {' and '.join(missing)}",
            "pip install 'rekindle[push]'",
        )
    for name in outlet.secrets:
        if not surroundings.secrets.get(name):
            yield Finding(
                Severity.REFUSES, f"{name} is empty", f"set it, or {name}_FILE, in the environment"
            )
    if outlet.name == "push_web" and not settings.web.contact:
        yield Finding(
            Severity.REFUSES,
            "push.web.contact is empty; push services ask whom they may write to (RFC 8292)",
            "set it in rekindle.toml, like mailto:push@shop.example",
        )
    api = urlsplit(settings.fcm.api_url)
    if outlet.name == "push_fcm" and api.scheme != "https" and api.hostname not in LOOPBACK:
        yield Finding(
            Severity.REFUSES, f"push.fcm.api_url is {settings.fcm.api_url!r}", "use https"
        )


def look(
    settings: PushSettings, outlet: OutletEntry, surroundings: Surroundings
) -> Iterator[Finding]:
    """Yield whether Google gives a token for the service account; browsers ask for no account."""
    if outlet.name != "push_fcm" or any(True for _ in check(settings, outlet, surroundings)):
        return
    from rekindle.channels.push.fcm.outlet import FirebaseOutlet

    try:
        FirebaseOutlet(settings, surroundings.secrets[ACCOUNT]).try_account()
    except TemporaryDeliveryError as error:
        yield Finding(Severity.WARNS, str(error), "look again once it can be reached")
    except (ConfigError, DeliveryError) as error:
        yield Finding(Severity.REFUSES, str(error), f"make a new key there, and set {ACCOUNT}")


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # of a package of which not even the first part is there
        return False
