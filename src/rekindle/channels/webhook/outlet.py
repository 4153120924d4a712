"""The ways by which a message reaches the user's own system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rekindle.channels.filing import FolderOutlet
from rekindle.channels.webhook.settings import SECRET, WebhookSettings
from rekindle.channels.webhook.webhook import build_reports
from rekindle.messages import FOR_EVER, AddressKind, Capabilities, Outlet, OutletEntry

# It is about a person; whether and how they are reached is that system's business. As it may
# well wake somebody, consent and quiet hours hold as for what we deliver ourselves.
POSTED = Capabilities(AddressKind.PERSON, has_receipts=True)
FOLDER = replace(POSTED, has_receipts=False, idempotent_for=FOR_EVER, reaches_people=False)


def build_folder(settings: WebhookSettings, *, base: Path, secrets: Mapping[str, str]) -> Outlet:
    """Return the outlet that writes each message to a file."""
    from rekindle.channels.webhook.posting.body import build_body

    return FolderOutlet(base / settings.folder.path, "json", build_body)


def build_post(settings: WebhookSettings, *, base: Path, secrets: Mapping[str, str]) -> Outlet:
    """Return the outlet that posts each message."""
    from rekindle.channels.webhook.posting.outlet import PostingOutlet

    return PostingOutlet(settings, secrets.get(SECRET, ""))


def _connections(settings: WebhookSettings) -> int:
    return settings.connections


OUTLETS = (
    OutletEntry(
        "webhook_folder", "writes each message to a file and posts nothing", FOLDER, build_folder
    ),
    OutletEntry(
        "webhook_post",
        "posts each message, signed, to a system of your own",
        POSTED,
        build_post,
        secrets=(SECRET,),
        webhook=build_reports,
        connections=_connections,
    ),
)
