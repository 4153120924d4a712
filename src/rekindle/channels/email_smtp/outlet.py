"""Sends through an SMTP server over one connection kept for a batch.

SMTP has no idempotency key. What matters is where an error falls: before the server was
handed the message it is safe to try again; after that, a lost connection leaves the
message's fate unknown (RFC 5321 § 4.2.5 and § 6.1: responsibility passes with the 250).
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Mapping
from pathlib import Path

from rekindle.channels.mime import build_message, envelope_address
from rekindle.channels.model import OutgoingMail, Receipt
from rekindle.config import EmailSettings
from rekindle.errors import (
    DeliveryError,
    PermanentDeliveryError,
    TemporaryDeliveryError,
    UnknownFateError,
)
from rekindle.vocabulary import Channel

PASSWORD = "REKINDLE_SMTP_PASSWORD"
FIRST_PERMANENT = 500
GOING_AWAY = 421
# The server wants a login (RFC 4954 § 6), or refuses by policy (RFC 3463 § 3.8): a block
# list or a rule about the sender. Nobody's address may be written off for it.
ABOUT_US = re.compile(r"53[0458]\b|5\d\d 5\.7\.\d")


class Outlet:
    """Implements ``rekindle.channels.Outlet`` with an SMTP server."""

    name = "email_smtp"
    channel = Channel.EMAIL
    is_idempotent = False

    def __init__(self, settings: EmailSettings, *, base: Path, secrets: Mapping[str, str]) -> None:
        self._settings = settings.smtp
        self._password = secrets.get(PASSWORD, "")
        self._server: smtplib.SMTP | None = None

    def send(self, mail: OutgoingMail) -> Receipt:
        """Hand the message to the server, connecting first where needed."""
        recipient = envelope_address(mail.to_address)
        body = build_message(mail).as_bytes()
        try:
            server = self._begin(mail, is_utf8=not recipient.isascii())
            self._expect(server.rcpt(recipient), sender=False, mail=mail)
            self._expect_data(server, mail)
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            raise TemporaryDeliveryError(f"{self._where} broke off: {error}") from error
        return self._hand_over(server, mail, body)

    def close(self) -> None:
        """Say goodbye to the server."""
        server, self._server = self._server, None
        if server is not None:
            try:
                server.quit()
            except (smtplib.SMTPException, OSError):
                server.close()

    def _begin(self, mail: OutgoingMail, *, is_utf8: bool) -> smtplib.SMTP:
        """Name the sender, on a new connection if the one kept has gone away meanwhile."""
        if self._server is not None:
            try:
                if self._name_sender(self._server, mail, is_utf8=is_utf8) != GOING_AWAY:
                    return self._server
            except (smtplib.SMTPException, OSError):
                pass
            self._drop()
        server = self._connected()
        self._name_sender(server, mail, is_utf8=is_utf8)
        return server

    def _name_sender(self, server: smtplib.SMTP, mail: OutgoingMail, *, is_utf8: bool) -> int:
        if is_utf8 and not server.has_extn("smtputf8"):
            raise PermanentDeliveryError(
                f"{self._where} does not take addresses like {mail.to_address!r} (RFC 6531)"
            )
        options = ("SMTPUTF8", "BODY=8BITMIME") if is_utf8 else ()
        code, text = server.mail(envelope_address(mail.from_address), options)
        if code != GOING_AWAY:
            self._expect((code, text), sender=True, mail=mail)
        return code

    def _connected(self) -> smtplib.SMTP:
        try:
            self._server = self._connect()
        except smtplib.SMTPAuthenticationError as error:
            raise TemporaryDeliveryError(
                f"{self._where} refused the login of {self._settings.username!r}: "
                f"{_said(error)}; check email.smtp.username and {PASSWORD}"
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            raise TemporaryDeliveryError(
                f"cannot reach the mail server {self._where}: {error}; check [email.smtp]"
            ) from error
        return self._server

    def _connect(self) -> smtplib.SMTP:
        settings, context = self._settings, ssl.create_default_context()
        if settings.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                settings.host, settings.port, timeout=settings.timeout_seconds, context=context
            )
        else:
            server = smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout_seconds)
        try:
            if settings.security == "starttls":
                server.starttls(context=context)
            if settings.username:
                server.login(settings.username, self._password)
            server.ehlo_or_helo_if_needed()
        except BaseException:
            server.close()
            raise
        return server

    def _expect_data(self, server: smtplib.SMTP, mail: OutgoingMail) -> None:
        code, text = server.docmd("DATA")
        if code != 354:
            self._reset(server)
            raise self._refusal(code, _text(text), mail)

    def _hand_over(self, server: smtplib.SMTP, mail: OutgoingMail, body: bytes) -> Receipt:
        try:
            server.send(re.sub(rb"(?m)^\.", b"..", body) + b"\r\n.\r\n")
            code, text = server.getreply()
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            raise UnknownFateError(
                f"{self._where} was lost while it took message {mail.key[:12]}: {error}"
            ) from error
        if code != 250:
            self._reset(server)
            raise self._refusal(code, _text(text), mail)
        return Receipt(f"<{mail.key}> {_text(text)}"[:200])

    def _expect(self, reply: tuple[int, bytes], *, sender: bool, mail: OutgoingMail) -> None:
        code, text = reply
        if code in (250, 251):
            return
        if self._server is not None:
            self._reset(self._server)
        if sender:
            # The sender is ours: no recipient may be written off for it.
            raise TemporaryDeliveryError(
                f"{self._where} refused the sender {mail.from_address!r}: {code} {_text(text)}"
            )
        raise self._refusal(code, _text(text), mail)

    def _refusal(self, code: int, text: str, mail: OutgoingMail) -> DeliveryError:
        is_final = code >= FIRST_PERMANENT and not ABOUT_US.match(f"{code} {text}")
        kind = PermanentDeliveryError if is_final else TemporaryDeliveryError
        return kind(f"{self._where} refused message {mail.key[:12]}: {code} {text}")

    def _reset(self, server: smtplib.SMTP) -> None:
        try:
            server.rset()
        except (smtplib.SMTPException, OSError):
            self._drop()

    def _drop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()

    @property
    def _where(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"


def _said(error: smtplib.SMTPResponseException) -> str:
    return f"{error.smtp_code} {_text(error.smtp_error)}"


def _text(reply: bytes | str) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return " ".join(text.split())
