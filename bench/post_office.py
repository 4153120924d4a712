"""A mail provider of our own, in a process of its own, which takes everything and counts.

It speaks as much of HTTP and of Postmark's interface as a message needs, so that what is
measured is the side that sends.
"""

from __future__ import annotations

import multiprocessing
import re
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

KEY = re.compile(rb'"touch": "([^"]+)"')
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
TAKEN = b'{"To": "a@example.com", "MessageID": "m", "ErrorCode": 0, "Message": "OK"}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
ANSWER = HEAD % len(TAKEN) + TAKEN


class PostOffice:
    """The one end of it that the measuring process holds."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self.url = f"http://127.0.0.1:{pipe.recv()}"

    def tally(self) -> Counter[str]:
        """Return how often each message was taken, by its key."""
        self._pipe.send("tally")
        found: Counter[str] = self._pipe.recv()
        return found


@contextmanager
def running_post_office() -> Iterator[PostOffice]:
    """Run one on a free port."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(theirs,), daemon=True
    )
    process.start()
    try:
        yield PostOffice(ours)
    finally:
        process.terminate()
        process.join()


def _serve(pipe: Connection) -> None:
    taken: Counter[str] = Counter()
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        pipe.send(server.getsockname()[1])
        threading.Thread(target=_accept, args=(server, taken), daemon=True).start()
        while pipe.recv():
            pipe.send(taken)


def _accept(server: socket.socket, taken: Counter[str]) -> None:
    while True:
        connection, _ = server.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_take, args=(connection, taken), daemon=True).start()


def _take(connection: socket.socket, taken: Counter[str]) -> None:
    heard = b""
    with connection:
        while piece := connection.recv(65_536):
            heard += piece
            end = heard.find(b"\r\n\r\n") + 4
            found = LENGTH.search(heard[:end]) if end > 3 else None
            if found is None or len(heard) < end + int(found[1]):
                continue
            key = KEY.search(heard, end)
            taken[key[1].decode() if key else ""] += 1
            heard = b""
            connection.sendall(ANSWER)
