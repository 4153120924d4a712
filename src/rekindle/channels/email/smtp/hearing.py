"""What a server says, bounded in time and size, whatever it says and however slowly.

The library waits for each piece of a reply as long as it was told to wait for the server,
and for as many lines as come. A server that says a byte now and then, or never ends its
banner, would hold a connection for ever; one that pours would fill the memory.
"""

from __future__ import annotations

import smtplib
import socket
from collections.abc import Callable

from rekindle.clock import stopwatch

LARGEST_REPLY_BYTES = 65_536
"""RFC 5321 section 4.5.3.1.5 allows 512 a line; a greeting has a few dozen lines at most."""

PIECE = 4096
PATIENCE = 30.0


class BoundedLines:
    """Reads a socket by lines; every reply has so many seconds and bytes as a whole."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection, self._seconds = connection, seconds
        self._waiting = b""
        self._elapsed: Callable[[], float] | None = None
        self._heard = 0
        connection.settimeout(seconds)

    def begin(self) -> None:
        """Begin to wait for a reply."""
        self._elapsed, self._heard = None, len(self._waiting)

    def readline(self, limit: int) -> bytes:
        """Return the next line, b"" where the server left, or ``limit`` bytes without an end.

        Raises:
            TimeoutError: the reply takes too long.
            SMTPException: it is too long.
        """
        while b"\n" not in self._waiting and len(self._waiting) < limit:
            if not (piece := self._piece()):
                break
            self._waiting += piece
        end = self._waiting.find(b"\n") + 1 or len(self._waiting)
        line = self._waiting[: min(end, limit)]
        self._waiting = self._waiting[len(line) :]
        return line

    def close(self) -> None:
        """Do nothing: the socket is the connection's."""

    def _piece(self) -> bytes:
        if self._elapsed is None:
            # The first piece, and hardly ever not the last: the socket's own patience will do.
            self._elapsed = stopwatch()
            piece = self._connection.recv(PIECE)
        else:
            piece = self._next_piece(self._seconds - self._elapsed())
        self._heard += len(piece)
        if self._heard > LARGEST_REPLY_BYTES:
            raise smtplib.SMTPException(f"a reply of more than {LARGEST_REPLY_BYTES:,} bytes")
        return piece

    def _next_piece(self, left: float) -> bytes:
        if left <= 0:
            raise TimeoutError(f"no whole reply within {self._seconds:g} seconds")
        self._connection.settimeout(left)
        try:
            return self._connection.recv(PIECE)
        finally:
            self._connection.settimeout(self._seconds)


class PatientSmtp(smtplib.SMTP):
    """The library's client, which hears a server out within bounds."""

    def getreply(self) -> tuple[int, bytes]:
        """Return the code and text of the next reply.

        Raises:
            OSError, SMTPException: the server left, or says too much or too slowly.
        """
        if not isinstance(self.file, BoundedLines):
            if self.sock is None:
                raise smtplib.SMTPServerDisconnected("please run connect() first")
            self.file = BoundedLines(self.sock, self.timeout or PATIENCE)
        self.file.begin()
        return super().getreply()


class PatientSmtpTls(PatientSmtp, smtplib.SMTP_SSL):
    """The same over a connection that is TLS from the first byte on."""
