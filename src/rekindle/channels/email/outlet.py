"""The ways by which e-mail leaves. What each needs is loaded when it is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rekindle.channels.email.settings import PASSWORD, REPORTS_KEY, EmailSettings
from rekindle.channels.email.webhook import build_reports
from rekindle.messages import FOR_EVER, AddressKind, Capabilities, Outlet, OutletEntry

MAIL = Capabilities(AddressKind.EMAIL, needs_postal_address=True)
FOLDER = replace(MAIL, idempotent_for=FOR_EVER, reaches_people=False)


def build_folder(settings: EmailSettings, *, base: Path, secrets: Mapping[str, str]) -> Outlet:
    """Return the outlet that writes each message to a file."""
    from rekindle.channels.email.writing.folder import FolderOutlet

    return FolderOutlet(settings, base / settings.folder.path)


def build_smtp(settings: EmailSettings, *, base: Path, secrets: Mapping[str, str]) -> Outlet:
    """Return the outlet that hands each message to a mail server."""
    from rekindle.channels.email.smtp.outlet import SmtpOutlet

    return SmtpOutlet(settings, secrets.get(PASSWORD, ""))


def _connections(settings: EmailSettings) -> int:
    return settings.smtp.connections


OUTLETS = (
    OutletEntry(
        "email_folder", "writes each e-mail to a file and sends nothing", FOLDER, build_folder
    ),
    OutletEntry(
        "email_smtp",
        "sends e-mail through an SMTP server",
        replace(MAIL, has_receipts=True),
        build_smtp,
        secrets=(PASSWORD, REPORTS_KEY),
        webhook=build_reports,
        connections=_connections,
    ),
)
