"""A request that was read whole may have been acted on, however its answer broke."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from rekindle.channels.asking import Asker
from rekindle.errors import DeliveryError, TemporaryDeliveryError, UnknownFateError
from tests.channels.postbox import CERTIFICATE

BODY = b"the whole of it"
BREAKS = {
    "garbage": b"\x17\x03\x03\x00\x20" + bytes(range(32)),  # a record that nobody sealed
    "plain text": b"HTTP/1.1 502 Bad Gateway\r\n\r\n",
    "nothing": b"",
}


@dataclass
class Breaking:
    """A TLS server that reads a request, and then breaks the session off."""

    socket: socket.socket
    last_words: bytes = b""
    takes_tls: bool = True
    read: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.socket.getsockname()[1]}/"

    def serve(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        while True:
            try:
                plain, _ = self.socket.accept()
            except OSError:
                return
            if not self.takes_tls:
                plain.sendall(b"no TLS here\r\n\r\n")
                plain.close()
                continue
            with context.wrap_socket(plain, server_side=True) as session:
                found = b""
                while BODY not in found and (piece := session.recv(4096)):
                    found += piece
                self.read.append(found)
                with socket.socket(fileno=os.dup(session.fileno())) as raw:
                    raw.sendall(self.last_words)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Breaking]:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    with socket.create_server(("localhost", 0)) as listening:
        breaking = Breaking(listening)
        thread = threading.Thread(target=breaking.serve, daemon=True)
        thread.start()
        yield breaking
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()


def refused(server: Breaking) -> DeliveryError:
    asker = Asker(5)
    with pytest.raises(DeliveryError) as raised:
        asker.ask(server.url, data=BODY)
    asker.close()
    return raised.value


@pytest.mark.parametrize("how", BREAKS)
def test_what_was_read_whole_is_of_unknown_fate(server: Breaking, how: str) -> None:
    server.last_words = BREAKS[how]
    assert isinstance(refused(server), UnknownFateError)
    assert len(server.read) == 1


def test_who_cannot_be_spoken_to_was_told_nothing(server: Breaking) -> None:
    server.takes_tls = False
    assert isinstance(refused(server), TemporaryDeliveryError)
    assert server.read == []
