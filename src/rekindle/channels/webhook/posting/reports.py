"""Reads what the user's own system posts back, signed as it was posted to.

{"message": "the id it answered with, or else the key", "status": "delivered", "reason": "…"}
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from rekindle.channels.webhook.posting.signing import read_secret, require_signed
from rekindle.errors import ConfigError, EventError, ForgedReportError
from rekindle.messages import DeliveryEvent, DeliveryKind, WebhookRequest
from rekindle.vocabulary import Channel

OUTLET = "webhook_post"
BECAME = {
    kind.value: kind
    for kind in (
        DeliveryKind.DELIVERED,
        DeliveryKind.FAILED,
        DeliveryKind.CLICKED,
        DeliveryKind.REPLIED,
        DeliveryKind.COMPLAINED,
        DeliveryKind.UNSUBSCRIBED,
        DeliveryKind.RESUBSCRIBED,
    )
}


class PostedReports:
    """Implements ``rekindle.messages.Webhook`` for a system of the user's own."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def read(self, request: WebhookRequest) -> Sequence[DeliveryEvent]:
        """Return what one report says."""
        try:
            secret = read_secret(self._secret)
        except ConfigError as error:
            raise ForgedReportError(str(error)) from error
        id_ = require_signed(secret, request.headers, request.body, request.received_at)
        try:
            told = json.loads(request.body)
            message, kind = str(told["message"]), BECAME[told["status"]]
            reason = str(told.get("reason") or "")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise EventError(
                "unreadable", f"write message, and as status one of {', '.join(BECAME)}"
            ) from error
        return [
            DeliveryEvent(
                id=id_,
                kind=kind,
                channel=Channel("webhook"),
                outlet=OUTLET,
                at=request.received_at,
                provider_id=message,
                reason=reason,
            )
        ]
