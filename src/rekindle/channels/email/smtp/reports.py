"""Reads a mail about a mail: a delivery status (RFC 3464) or a complaint (RFC 5965)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.utils import parsedate_to_datetime
from hashlib import sha256

from rekindle.channels.email.smtp.replies import Reply, Stage, judge_refusal
from rekindle.errors import (
    DeliveryError,
    EventError,
    OutletFaultError,
    PermanentDeliveryError,
    TemporaryDeliveryError,
)
from rekindle.messages import DeliveryEvent, DeliveryKind
from rekindle.vocabulary import Channel

OUTLET = "email_smtp"
LARGEST = 1_000_000
MOST_RECIPIENTS = 100
LONGEST_REASON = 500
KEY = re.compile(r"<?([0-9A-Za-z_-][0-9A-Za-z._-]{0,199})@")
CODE = re.compile(r"\b([245]\d\d)\b")
ACTIONS = {
    "delivered": DeliveryKind.DELIVERED,
    "relayed": DeliveryKind.DELIVERED,
    "expanded": DeliveryKind.DELIVERED,
}
NOT_YET = "delayed"


def read_report(body: bytes, *, received_at: datetime) -> list[DeliveryEvent]:
    """Return what a mail says of the messages it is about; empty where it is about none.

    The key shows who handed the mail on, and nothing who wrote it: so each ``needs_message``.

    Raises:
        EventError: it is larger than any such mail.
    """
    if len(body) > LARGEST:
        raise EventError("too_large", f"a mail of {len(body)} bytes is no report")
    mail = message_from_bytes(body, policy=policy.compat32)
    written_at = _date(mail)
    at = received_at if written_at is None else min(written_at, received_at)
    digest = sha256(body).hexdigest()[:32]
    parts = list(mail.walk())
    key = next(filter(None, map(_original_key, parts)), "")
    found: list[DeliveryEvent] = []
    for part in parts:
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            found += _statuses(part, f"dsn:{digest}", at, key)
        elif kind == "message/feedback-report":
            found += _complaints(part, f"arf:{digest}", at, key)
    return found[:MOST_RECIPIENTS]


def _statuses(part: Message, name: str, at: datetime, key: str) -> Iterator[DeliveryEvent]:
    """Yield one event a recipient: the groups after the first, which is about the server."""
    for number, group in enumerate(_groups(part)):
        address = _value(group, "original-recipient") or _value(group, "final-recipient")
        action = str(group.get("action", "")).strip().casefold()
        if not address or action == NOT_YET:
            continue
        kind, is_permanent = _judged(group, action)
        yield DeliveryEvent(
            id=f"{name}:{number}",
            kind=kind,
            channel=Channel("email"),
            outlet=OUTLET,
            at=at,
            message=key,
            address=address,
            is_permanent=is_permanent,
            reason=_reason(group),
            needs_message=True,
        )


def _judged(group: Message, action: str) -> tuple[DeliveryKind, bool]:
    """Return what became of the message: only what is about the address is a bounce of it."""
    if action in ACTIONS:
        return ACTIONS[action], True
    status = str(group.get("status", "")).strip()
    code = CODE.search(_value(group, "diagnostic-code"))
    number = int(code[1]) if code else 550 if status.startswith("5") else 450
    error: type[DeliveryError] = judge_refusal(Stage.CONTENT, Reply(number, status))
    if issubclass(error, PermanentDeliveryError):
        return DeliveryKind.BOUNCED, True
    # What is ours to mend says nothing of the address; one report of it, perhaps of a mail
    # that somebody forwards, is no reason to stop either.
    if issubclass(error, TemporaryDeliveryError | OutletFaultError):
        return DeliveryKind.BOUNCED, False
    return DeliveryKind.FAILED, True


def _complaints(part: Message, name: str, at: datetime, key: str) -> Iterator[DeliveryEvent]:
    for group in _groups(part):
        if str(group.get("feedback-type", "")).strip().casefold() not in {"abuse", "fraud"}:
            continue
        address = str(group.get("original-rcpt-to", "")).strip().strip("<>")
        yield DeliveryEvent(
            id=name,
            kind=DeliveryKind.COMPLAINED,
            channel=Channel("email"),
            outlet=OUTLET,
            at=at,
            message=key,
            address=address,
            reason=str(group.get("feedback-type")).strip(),
            needs_message=True,
        )


def _groups(part: Message) -> list[Message]:
    """Return the groups of fields of a part that the library may have taken apart already."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return [group for group in payload if isinstance(group, Message)]
    return [message_from_bytes(str(payload).encode("utf-8", "replace"), policy=policy.compat32)]


def _original_key(part: Message) -> str:
    """Return our key of the message a part quotes, "" where it quotes none of ours."""
    kind = part.get_content_type()
    if kind == "text/rfc822-headers":
        text = part.get_payload(decode=True)
        quoted: object = message_from_bytes(text) if isinstance(text, bytes) else None
    elif kind == "message/rfc822":
        payload = part.get_payload()
        quoted = payload[0] if isinstance(payload, list) and payload else None
    else:
        return ""
    if not isinstance(quoted, Message | EmailMessage):
        return ""
    found = KEY.match(str(quoted.get("message-id", "")).strip())
    return found[1] if found else ""


def _value(group: Message, field: str) -> str:
    """Return a typed field's value: of ``rfc822; ann@example.com`` what follows the type."""
    return str(group.get(field, "")).partition(";")[2].strip().strip("<>")


def _reason(group: Message) -> str:
    said = f"{group.get('status', '')} {_value(group, 'diagnostic-code')}"
    return " ".join(said.split())[:LONGEST_REASON]


def _date(mail: Message) -> datetime | None:
    try:
        found = parsedate_to_datetime(str(mail.get("date", "")))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
