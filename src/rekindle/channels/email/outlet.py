"""The ways by which e-mail leaves. What each needs is loaded when it is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rekindle.channels.email.providers.table import PROVIDERS, Provider
from rekindle.channels.email.settings import PASSWORD, REPORTS_KEY, EmailSettings
from rekindle.channels.email.webhook import build_provider_reports, build_reports
from rekindle.channels.filing import FolderOutlet
from rekindle.messages import FOR_EVER, AddressKind, Capabilities, Outlet, OutletEntry, Webhook

MAIL = Capabilities(AddressKind.EMAIL, needs_postal_address=True)
FOLDER = replace(MAIL, idempotent_for=FOR_EVER, reaches_people=False)


def build_folder(settings: EmailSettings, *, base: Path, secrets: Mapping[str, str]) -> Outlet:
    """Return the outlet that writes each message to a file."""
    from rekindle.channels.email.writing.mime import build_bytes
    from rekindle.channels.email.writing.model import write_mail

    return FolderOutlet(
        base / settings.folder.path,
        "eml",
        lambda message: build_bytes(write_mail(message, settings)),
    )


def build_smtp(settings: EmailSettings, *, base: Path, secrets: Mapping[str, str]) -> Outlet:
    """Return the outlet that hands each message to a mail server."""
    from rekindle.channels.email.smtp.outlet import SmtpOutlet

    return SmtpOutlet(settings, secrets.get(PASSWORD, ""))


def _connections(settings: EmailSettings) -> int:
    return settings.smtp.connections


def _http_connections(settings: EmailSettings) -> int:
    return settings.http.connections


def _of_provider(provider: Provider) -> OutletEntry:
    """Return the outlet of one provider."""

    def build(settings: EmailSettings, *, base: Path, secrets: Mapping[str, str]) -> Outlet:
        from rekindle.channels.email.providers.outlet import ProviderOutlet

        return ProviderOutlet(provider, settings, secrets)

    def build_webhook(settings: EmailSettings, *, secrets: Mapping[str, str]) -> Webhook:
        return build_provider_reports(provider, secrets)

    can = replace(MAIL, has_receipts=bool(provider.reports), idempotent_for=provider.idempotent_for)
    return OutletEntry(
        provider.outlet,
        f"sends e-mail through {provider.called}",
        can,
        build,
        secrets=provider.secrets,
        webhook=build_webhook if provider.reports else None,
        connections=_http_connections,
    )


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
    *(_of_provider(provider) for provider in PROVIDERS),
)
