"""The ways by which a text message leaves. What each needs is loaded when it is built."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from rekindle.channels.filing import FolderOutlet
from rekindle.channels.sms.settings import GATEWAY_KEY, REPORTS_KEY, TWILIO_TOKEN, SmsSettings
from rekindle.channels.sms.webhook import build_gateway_reports, build_twilio_reports
from rekindle.errors import RefusedContentError
from rekindle.messages import (
    FOR_EVER,
    AddressKind,
    Capabilities,
    Message,
    Outlet,
    OutletEntry,
)

TEXTS = Capabilities(AddressKind.PHONE, has_receipts=True)
FOLDER = Capabilities(AddressKind.PHONE, idempotent_for=FOR_EVER, reaches_people=False)


def build_folder(settings: SmsSettings, *, base: Path, secrets: Mapping[str, str]) -> Outlet:
    """Return the outlet that writes each message to a file."""
    from rekindle.channels.sms.writing.files import write_file

    return FolderOutlet(
        base / settings.folder.path, "txt", lambda message: write_file(message, settings)
    )


def build_twilio(settings: SmsSettings, *, base: Path, secrets: Mapping[str, str]) -> Outlet:
    """Return the outlet that hands each message to Twilio."""
    from rekindle.channels.sms.twilio.outlet import TwilioOutlet

    return TwilioOutlet(settings, secrets.get(TWILIO_TOKEN, ""))


def build_gateway(settings: SmsSettings, *, base: Path, secrets: Mapping[str, str]) -> Outlet:
    """Return the outlet that hands each message to the gateway the settings describe."""
    from rekindle.channels.sms.gateway.outlet import GatewayOutlet

    return GatewayOutlet(settings, secrets.get(GATEWAY_KEY, ""))


def price(settings: SmsSettings, message: Message) -> Decimal:
    """Return what one message costs, by its segments; what is too long does not leave."""
    from rekindle.channels.sms.writing import count_segments, write_text

    try:
        segments = count_segments(write_text(message, settings))
    except RefusedContentError:
        segments = 1
    return settings.cost * min(segments, settings.max_segments)


def _connections(settings: SmsSettings) -> int:
    return settings.connections


OUTLETS = (
    OutletEntry("sms_folder", "writes each text to a file and sends nothing", FOLDER, build_folder),
    OutletEntry(
        "sms_twilio",
        "sends texts through Twilio",
        TEXTS,
        build_twilio,
        secrets=(TWILIO_TOKEN,),
        webhook=build_twilio_reports,
        connections=_connections,
    ),
    OutletEntry(
        "sms_gateway",
        "sends texts through any gateway over HTTP",
        TEXTS,
        build_gateway,
        secrets=(GATEWAY_KEY, REPORTS_KEY),
        webhook=build_gateway_reports,
        connections=_connections,
    ),
)
