"""A mail server's manners, and a message to send it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from rekindle.channels.email.writing import OutgoingMail
from rekindle.messages import Address, AddressKind, Links, Message, Outlet, Receipt
from rekindle.vocabulary import Channel

CERTIFICATE = Path(__file__).parent / "localhost.pem"
NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)


@dataclass
class Postbox:
    """What arrived, and what the server says to the address ``NAME@…`` of each name.

    A reply "hang up" breaks the connection off there. ``hang_up`` does so after the message
    was handed over; ``close_once`` when the next message begins, with or without a word.
    """

    received: list[EmailMessage] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)
    data_reply: str = "250 OK"
    sender_reply: str = "250 OK"
    close_once: str = ""
    greetings: int = 0
    hang_up: bool = False
    port: int = 0

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Session, envelope: Envelope, hostname: str, replies: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.greetings += 1
        return replies

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if reply := self.close_once:
            self.close_once = ""
            if reply.startswith("421"):
                await server.push(reply)
            server.transport.close()
            return reply
        envelope.mail_from = address
        return self.sender_reply

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self.replies.get(address.partition("@")[0], "250 OK")
        if reply == "hang up":
            server.transport.abort()
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


@contextmanager
def serving(*, security: str = "none", password: str = "", **more: Any) -> Iterator[Postbox]:
    """Serve a postbox on a free port of this machine; ``more`` goes to aiosmtpd."""
    more.setdefault("enable_SMTPUTF8", False)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        box = Postbox(port=free.getsockname()[1])
    if security != "none":
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(CERTIFICATE)
        more["ssl_context" if security == "tls" else "tls_context"] = tls
    if password:
        more |= {"authenticator": _doorman(password), "auth_require_tls": security == "starttls"}
    controller = Controller(box, hostname="127.0.0.1", port=box.port, **more)
    controller.start()
    try:
        yield box
    finally:
        # A connection that was broken off is closed in the next turns of the loop.
        for _ in range(3):
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), controller.loop).result()
        controller.stop()


def _doorman(password: str) -> Any:
    def check(*given: Any) -> AuthResult:
        login = cast("LoginPassword", given[-1])
        return AuthResult(success=login.password == password.encode(), handled=False)

    return check


class Mailing:
    """An outlet that is given mails as they are to arrive."""

    def __init__(self, outlet: Outlet) -> None:
        self.outlet = outlet
        self.close = outlet.close

    def send(self, mail: OutgoingMail) -> Receipt:
        return self.outlet.send(message_of(mail))


def message_of(mail: OutgoingMail) -> Message:
    """Return the message that becomes this mail, where the settings are the postbox's."""
    return Message(
        key=mail.key,
        channel=Channel("email"),
        person="ann",
        address=Address(AddressKind.EMAIL, mail.to_address),
        parts={"subject": mail.subject, "html": mail.html, "text": mail.text},
        at=mail.at,
        name=mail.to_name,
        links=Links(mail.unsubscribe_url),
    )


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
