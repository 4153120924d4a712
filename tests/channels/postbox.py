"""A mail server's manners, and a message to send it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.smtp import Envelope, Session

from rekindle.channels import OutgoingMail

NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)


@dataclass
class Postbox:
    """What arrived, and what the server says to the address ``NAME@…`` of each name.

    ``hang_up`` breaks the connection off after the message was handed over.
    """

    received: list[EmailMessage] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)
    data_reply: str = "250 OK"
    hang_up: bool = False
    port: int = 0

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self.replies.get(address.partition("@")[0], "250 OK")
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Session, envelope: Envelope
    ) -> str:
        if self.hang_up:
            server.transport.abort()
            return "250 never heard"
        if self.data_reply.startswith("250"):
            content = cast("bytes", envelope.content)
            message = message_from_bytes(content, policy=policy.default)
            self.received.append(message)
        return self.data_reply


def build_mail(**changes: Any) -> OutgoingMail:
    given: dict[str, Any] = {
        "key": "a" * 64,
        "to_address": "ann@example.com",
        "to_name": "Ann Älg",
        "from_address": "shop@example.com",
        "from_name": "The Shop",
        "subject": "Schön, dich zu sehen",
        "html": "<p>Hello</p>",
        "text": "Hello",
        "list_id": "winback.example.com",
        "unsubscribe_url": "https://shop.example.com/u/token",
        "at": NOW,
    }
    return OutgoingMail(**{**given, **changes})
