"""Slow clients take a connection each, and nothing from anybody else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from typing import Any

import pytest

from rekindle.web.listening import BoundedConnection, count_connections, open_server

SLOW = 140


def hello(environ: Any, start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"hi"]


@contextmanager
def listening() -> Iterator[int]:
    server = open_server(hello, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield int(server.effective_port)
    finally:
        server.close()
        thread.join(5)


def ask(port: int) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/")
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET /u/",
        b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{",
    ],
)
def test_many_slow_clients_keep_nobody_waiting(said: bytes) -> None:
    with ExitStack() as stack, ExitStack() as clients:
        port = stack.enter_context(listening())
        for _ in range(SLOW):
            client = clients.enter_context(socket.create_connection(("127.0.0.1", port)))
            client.sendall(said)
        assert [ask(port) for _ in range(5)] == [200] * 5


def test_who_sends_a_byte_now_and_then_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedConnection, "request_seconds", 0.0)
    with listening() as port, socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(b"GET /")
        try:
            while True:  # until the server hangs up
                client.sendall(b"a")
        except OSError:
            pass
        assert ask(port) == 200


def test_there_is_room_for_many_within_what_the_system_allows() -> None:
    assert SLOW < count_connections() <= 2000
