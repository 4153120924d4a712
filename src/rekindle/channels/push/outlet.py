"""The ways by which a push leaves. What each needs is loaded when it is built."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rekindle.channels.filing import FolderOutlet
from rekindle.channels.push.settings import ACCOUNT, VAPID_KEY, PushSettings
from rekindle.messages import FOR_EVER, AddressKind, Capabilities, Outlet, OutletEntry

# Whoever it is about is written to: there is no address to try out a folder with.
FOLDER = Capabilities(AddressKind.PERSON, idempotent_for=FOR_EVER, reaches_people=False)


def build_folder(settings: PushSettings, *, base: Path, secrets: Mapping[str, str]) -> Outlet:
    """Return the outlet that writes each message to a file."""
    from rekindle.channels.push.writing import write_file

    return FolderOutlet(base / settings.folder.path, "json", write_file)


def build_web(settings: PushSettings, *, base: Path, secrets: Mapping[str, str]) -> Outlet:
    """Return the outlet that hands each message to the push service of a browser."""
    from rekindle.channels.push.web.outlet import WebPushOutlet

    return WebPushOutlet(settings, secrets.get(VAPID_KEY, ""))


def build_fcm(settings: PushSettings, *, base: Path, secrets: Mapping[str, str]) -> Outlet:
    """Return the outlet that hands each message to Firebase."""
    from rekindle.channels.push.fcm.outlet import FirebaseOutlet

    return FirebaseOutlet(settings, secrets.get(ACCOUNT, ""))


def _connections(settings: PushSettings) -> int:
    return settings.connections


OUTLETS = (
    OutletEntry(
        "push_folder", "writes each push to a file and sends nothing", FOLDER, build_folder
    ),
    OutletEntry(
        "push_web",
        "sends pushes to browsers (RFC 8030)",
        Capabilities(AddressKind.WEB_PUSH),
        build_web,
        secrets=(VAPID_KEY,),
        connections=_connections,
    ),
    OutletEntry(
        "push_fcm",
        "sends pushes to apps through Firebase",
        Capabilities(AddressKind.DEVICE),
        build_fcm,
        secrets=(ACCOUNT,),
        connections=_connections,
    ),
)
