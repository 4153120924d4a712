"""Texts to send, and settings to send them with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from rekindle.channels.sms.settings import GatewaySettings, SmsSettings, TwilioSettings
from rekindle.messages import Address, AddressKind, Links, Message
from rekindle.vocabulary import Channel

NOW = datetime(2026, 3, 2, 18, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
TOKEN = "the token of the account"
ACCOUNT = "AC" + "0" * 32
LINK = "https://shop.example.com/u/abc"
PHONE = "+44 20 7946 0018"


def build_text(text: str = "Ann, your size is back.", **changes: Any) -> Message:
    """Return a marketing text to a phone."""
    given: dict[str, Any] = {
        "key": "0f" * 32,
        "channel": Channel("sms"),
        "person": "ann",
        "address": Address(AddressKind.PHONE, PHONE),
        "parts": {"text": text},
        "at": NOW,
        "links": Links(LINK),
        "leave_by": NOW + 2 * HOUR,
        **changes,
    }
    return Message(**given)


def twilio(url: str = "", **changes: Any) -> SmsSettings:
    """Return the settings of an account at Twilio, or at a server that stands for it."""
    given = {"account": ACCOUNT, "from_number": "+15005550006", "api_url": url or "http://[::1]:9"}
    named = {name: changes.pop(name) for name in set(changes) & set(TwilioSettings.model_fields)}
    own = TwilioSettings(**{**given, **named})
    return SmsSettings(outlet="sms_twilio", twilio=own, timeout_seconds=5, **changes)


def gateway(**given: Any) -> SmsSettings:
    """Return the settings of a gateway."""
    return SmsSettings(outlet="sms_gateway", gateway=GatewaySettings(**given), timeout_seconds=5)
