"""Reads what a gateway reports, in one shape for all: a line of JSON with the key of ours.

{"id": "7", "message": "m-1", "status": "delivered", "to": "+44…"}
{"id": "8", "from": "+44…", "text": "STOP"}
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any

from rekindle.channels.sms.hearing import event_of
from rekindle.channels.sms.settings import REPORTS_KEY, SmsSettings
from rekindle.errors import EventError, ForgedReportError
from rekindle.identity import international
from rekindle.messages import DeliveryEvent, DeliveryKind, WebhookRequest
from rekindle.vocabulary import Channel

OUTLET = "sms_gateway"
BEARER = "Bearer "
BECAME = {
    "delivered": DeliveryKind.DELIVERED,
    "failed": DeliveryKind.FAILED,
    "expired": DeliveryKind.FAILED,
    "bounced": DeliveryKind.BOUNCED,
    "unsubscribed": DeliveryKind.UNSUBSCRIBED,
}


class GatewayReports:
    """Implements ``rekindle.messages.Webhook`` for any gateway."""

    def __init__(self, settings: SmsSettings, key: str) -> None:
        self._key = key

    def read(self, request: WebhookRequest) -> Sequence[DeliveryEvent]:
        """Return what one report says."""
        given = request.headers.get("authorization", "")
        is_known = hmac.compare_digest(given.encode(), (BEARER + self._key).encode())
        if not self._key or not is_known:
            raise ForgedReportError(f"the report does not carry the key of {REPORTS_KEY}")
        try:
            told = json.loads(request.body)
        except (ValueError, RecursionError) as error:
            raise EventError("unreadable", "the report is no JSON") from error
        if not isinstance(told, dict) or not _text(told, "id"):
            raise EventError("unreadable", "the report is no object with an id")
        if "text" in told:
            sender = _number(told, "from")
            found = event_of(
                OUTLET, _text(told, "id"), sender, _text(told, "text"), request.received_at
            )
            return [found] if found is not None and sender else []
        return [self._become(told, request)]

    def _become(self, told: Mapping[str, Any], request: WebhookRequest) -> DeliveryEvent:
        kind = BECAME.get(_text(told, "status"))
        if kind is None:
            raise EventError("unreadable", f"status is none of {', '.join(BECAME)}")
        return DeliveryEvent(
            id=_text(told, "id"),
            kind=kind,
            channel=Channel("sms"),
            outlet=OUTLET,
            at=request.received_at,
            provider_id=_text(told, "message"),
            address=_number(told, "to"),
            reason=_text(told, "why"),
        )


def _text(told: Mapping[str, Any], name: str) -> str:
    given = told.get(name)
    return str(given) if isinstance(given, (str, int)) else ""


def _number(told: Mapping[str, Any], name: str) -> str:
    """Return a number as E.164; many gateways leave the plus out, and then it has its country."""
    given = _text(told, name).strip()
    return international(given) or international(f"+{given}") or given
