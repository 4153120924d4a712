"""A server that never ends, trickles or pours holds nobody up for longer than it may."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from rekindle.channels import build_outlet
from rekindle.channels.email.settings import EmailSettings, SmtpSettings
from rekindle.clock import stopwatch
from rekindle.errors import DeliveryError, TemporaryDeliveryError, UnknownFateError
from tests.channels.postbox import Mailing, build_mail

Talk = Callable[[socket.socket, threading.Event], None]
PATIENCE = 1
POLITE = (b"220 here\r\n", b"250 here\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n")


@contextmanager
def talking(talk: Talk) -> Iterator[int]:
    """Serve one connection with ``talk``; yield the port."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                client, _ = server.accept()
                with client:
                    talk(client, over)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()
            thread.join(timeout=5)


def send(port: int) -> DeliveryError:
    """Return what becomes of one message, and see that it did not take long."""
    smtp = SmtpSettings(host="127.0.0.1", port=port, security="none", timeout_seconds=PATIENCE)
    settings = EmailSettings(outlet="email_smtp", smtp=smtp)
    outlet = Mailing(build_outlet("email_smtp", settings, base=Path(), secrets={}))
    elapsed = stopwatch()
    with pytest.raises(DeliveryError) as raised:
        outlet.send(build_mail())
    outlet.close()
    assert elapsed() < 4 * PATIENCE
    return raised.value


def trickle(client: socket.socket, over: threading.Event, first: bytes = b"") -> None:
    client.sendall(first)
    while not over.wait(PATIENCE / 10):
        client.sendall(b"2")


def endless(client: socket.socket, over: threading.Event) -> None:
    while not over.wait(PATIENCE / 10):
        client.sendall(b"220-still here\r\n")


def pour(client: socket.socket, over: threading.Event) -> None:
    while not over.is_set():
        client.sendall(b"220-" + b"x" * 500 + b"\r\n")


def one_long_line(client: socket.socket, over: threading.Event) -> None:
    client.sendall(b"220 " + b"x" * 60_000)
    over.wait(10)


@pytest.mark.parametrize("talk", [trickle, endless, pour, one_long_line])
def test_a_greeting_without_end_is_tried_again_later(talk: Talk) -> None:
    with talking(talk) as port:
        assert isinstance(send(port), TemporaryDeliveryError)


@pytest.mark.parametrize("rest", [trickle, pour], ids=["trickles", "pours"])
def test_a_last_word_without_end_leaves_the_fate_unknown(rest: Talk) -> None:
    def talk(client: socket.socket, over: threading.Event) -> None:
        for line in POLITE:
            client.sendall(line)
            client.recv(4096)
        rest(client, over)

    with talking(talk) as port:
        assert isinstance(send(port), UnknownFateError)
