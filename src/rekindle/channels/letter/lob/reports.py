"""Reads what Lob posts of letters: https://docs.lob.com/#tag/Webhooks."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rekindle.channels.letter.settings import LOB_REPORTS
from rekindle.errors import EventError, ForgedReportError
from rekindle.messages import DeliveryEvent, DeliveryKind, WebhookRequest
from rekindle.vocabulary import Channel

OUTLET = "letter_lob"
TOLERANCE = timedelta(minutes=5)
MILLISECONDS = 10**11  # a number of seconds as large as this is of the year 5138
KINDS = {
    "letter.mailed": DeliveryKind.ACCEPTED,
    "letter.delivered": DeliveryKind.DELIVERED,
    "letter.returned_to_sender": DeliveryKind.BOUNCED,
    "letter.certified.returned_to_sender": DeliveryKind.BOUNCED,
    "letter.failed": DeliveryKind.FAILED,
    "letter.rejected": DeliveryKind.FAILED,
    "letter.deleted": DeliveryKind.FAILED,
}


class LobReports:
    """Implements ``rekindle.messages.Webhook`` for Lob."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def read(self, request: WebhookRequest) -> Sequence[DeliveryEvent]:
        """Return what one report says; what is on its way says nothing of where it ends."""
        self._require_signed(request)
        told = _object(_parsed(request.body))
        type_ = _object(told.get("event_type")).get("id")
        if not isinstance(type_, str):
            raise EventError("unreadable", "the report names no event_type")
        kind = KINDS.get(type_)
        if kind is None:
            return []
        letter = _object(told.get("body"))
        about = _object(letter.get("metadata"))
        id_, name = told.get("id"), letter.get("id")
        if not isinstance(id_, str) or not isinstance(name, str):
            raise EventError("unreadable", "the report has no id, or names no letter")
        return [
            DeliveryEvent(
                id=id_,
                kind=kind,
                channel=Channel("letter"),
                outlet=OUTLET,
                at=_instant(told.get("date_created"), request.received_at),
                provider_id=name,
                message=_text(about.get("message")),
                fingerprint=_text(about.get("address")),
                reason=type_,
            )
        ]

    def _require_signed(self, request: WebhookRequest) -> None:
        """Refuse what is not signed with the secret of the webhook, or was long ago."""
        given = request.headers.get("lob-signature", "")
        stamp = request.headers.get("lob-signature-timestamp", "")
        signed = hmac.new(self._secret.encode(), f"{stamp}.".encode() + request.body, "sha256")
        if not self._secret or not hmac.compare_digest(
            signed.hexdigest().encode(), given.encode("utf-8", "replace")
        ):
            raise ForgedReportError(f"the report is not signed with {LOB_REPORTS}")
        if not (stamp.isascii() and stamp.isdecimal()) or len(stamp) > 15:
            raise ForgedReportError("the report does not say when it was signed")
        second = int(stamp) / 1000 if int(stamp) >= MILLISECONDS else int(stamp)
        if abs(request.received_at.timestamp() - second) > TOLERANCE.total_seconds():
            raise ForgedReportError("the report was signed more than five minutes ago, or ahead")


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise EventError("unreadable", "the report is no JSON") from error


def _object(given: Any) -> Mapping[str, Any]:
    return given if isinstance(given, dict) else {}


def _text(given: Any) -> str:
    return given if isinstance(given, str) else ""


def _instant(given: Any, received_at: datetime) -> datetime:
    try:
        at = datetime.fromisoformat(given)
    except (ValueError, TypeError):
        return received_at
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
