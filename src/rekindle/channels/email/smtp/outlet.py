"""Sends through an SMTP server over a few connections that are kept between messages.

Several threads may send at once; each message has a connection to itself, and a message
beyond ``connections`` waits for one. What a failure means is in ``connection.py``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from rekindle.channels.email.settings import EmailSettings
from rekindle.channels.email.smtp.connection import Connection, Letter
from rekindle.channels.email.writing import build_bytes, envelope_address, write_mail
from rekindle.errors import DeliveryError
from rekindle.messages import Message, Receipt


class SmtpOutlet:
    """Implements ``rekindle.messages.Outlet`` with an SMTP server."""

    def __init__(self, settings: EmailSettings, password: str) -> None:
        self._mail = settings
        self._settings = settings.smtp
        self._password = password
        self._seats = BoundedSemaphore(self._settings.connections)
        self._idle: deque[Connection] = deque()  # append and pop are atomic

    def send(self, message: Message) -> Receipt:
        """Hand the message to the server, connecting first where needed."""
        mail = write_mail(message, self._mail)
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
