"""Sends through an SMTP server over a few connections that are kept between messages.

Several threads may send at once; each message has a connection to itself, and a message
beyond ``connections`` waits for one. What a failure means is ``rekindle.channels.smtp``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import BoundedSemaphore

from rekindle.channels.mime import build_bytes, envelope_address
from rekindle.channels.model import OutgoingMail, Receipt
from rekindle.channels.smtp import Connection, Letter
from rekindle.config import EmailSettings
from rekindle.errors import DeliveryError
from rekindle.vocabulary import Channel

PASSWORD = "REKINDLE_SMTP_PASSWORD"


class Outlet:
    """Implements ``rekindle.channels.Outlet`` with an SMTP server."""

    name = "email_smtp"
    channel = Channel("email")
    is_idempotent = False

    def __init__(self, settings: EmailSettings, *, base: Path, secrets: Mapping[str, str]) -> None:
        self._settings = settings.smtp
        self._password = secrets.get(PASSWORD, "")
        self._seats = BoundedSemaphore(self._settings.connections)
        self._idle: deque[Connection] = deque()  # append and pop are atomic

    def send(self, mail: OutgoingMail) -> Receipt:
        """Hand the message to the server, connecting first where needed."""
        body = build_bytes(mail)  # refuses both addresses where they are none
        sender, recipient = map(envelope_address, (mail.from_address, mail.to_address))
        letter = Letter(mail.key[:12], sender=sender, recipient=recipient, body=body)
        with self._seats:
            while True:  # a new connection begins or raises, so this ends
                with self._lent() as connection:
                    if connection.begin(letter):
                        said = connection.hand_over(letter)
                        return Receipt(f"<{mail.key}> {said.text}"[:200])

    def close(self) -> None:
        """Say goodbye to the server on every connection."""
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _lent(self) -> Iterator[Connection]:
        """Lend a kept connection or a new one; keep it unless it ended or served enough."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = Connection(self._settings, self._password)
        try:
            yield connection
        except DeliveryError:
            raise
        except BaseException:
            connection.drop()  # interrupted in the middle of a conversation
            raise
        finally:
            if connection.messages_count >= self._settings.messages_per_connection:
                connection.close()
            elif connection.is_open:
                self._idle.append(connection)
