"""An HTTP server on loopback that keeps what it was asked and answers by path.

Whatever speaks to a provider over HTTP is tested against it::

    with RecordingServer() as server:
        server.answer("/messages", Answer(201, {"id": "m-1"}))
        send(url=server.url)
        assert server.requests[0].json() == {...}
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request, as it came. Names of ``headers`` are in small letters.

    ``connection`` numbers the connection it came over.
    """

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    connection: int

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)

    def form(self) -> dict[str, list[str]]:
        """Return the body as a form's fields."""
        return parse_qs(self.body.decode(), keep_blank_values=True)


class Fault(Enum):
    """What a server does that does not answer as it should."""

    BREAKS_OFF = "closes the connection and says nothing"
    HANGS = "says nothing until the client or the test is over"
    STOPS_HALFWAY = "announces more than it sends"


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer: bytes and text as they are, anything else as JSON; or a fault."""

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: Fault | None = None

    @property
    def content(self) -> bytes:
        """Return the body as it is sent."""
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


Answering = Answer | Callable[[Recorded], Answer]


class RecordingServer:
    """Answers every path alike (200, an empty JSON object) but those it was told of.

    A path that was given several answers gives them in turn, and the last one for ever.
    The longest beginning of a path that was told counts.
    """

    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._answers: dict[str, Iterator[Answering]] = {"/": repeat(Answer(200, {}))}
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.owner = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    @property
    def url(self) -> str:
        """Return where it answers, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def connections_count(self) -> int:
        """Return how many connections brought requests."""
        return len({one.connection for one in self.requests})

    def answer(self, path: str, *answers: Answering) -> None:
        """Answer so from now on at every path that begins with this one."""
        self._answers[path] = chain(answers, repeat(answers[-1]))

    def answered(self, request: Recorded) -> Answer:
        """Keep a request and return the answer to it."""
        with self._lock:
            self.requests.append(request)
            known = [path for path in self._answers if request.path.startswith(path)]
            found = next(self._answers[max(known, key=len)])
        return found(request) if callable(found) else found

    def wait_until_over(self) -> None:
        """Return when the test is over, or gave up waiting."""
        self._is_over.wait(SECONDS)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(SECONDS)


class _Server(ThreadingHTTPServer):
    owner: RecordingServer
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that leaves in the middle is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def _respond(self) -> None:
        url = urlsplit(self.path)
        size = int(self.headers.get("Content-Length") or 0)
        request = Recorded(
            method=self.command,
            path=url.path,
            query=parse_qs(url.query, keep_blank_values=True),
            headers={name.casefold(): value for name, value in self.headers.items()},
            body=self.rfile.read(size),
            connection=self.client_address[1],
        )
        self._give(self.server.owner.answered(request))

    def _give(self, answer: Answer) -> None:
        if answer.fault is Fault.HANGS:
            self.server.owner.wait_until_over()
        if answer.fault in {Fault.HANGS, Fault.BREAKS_OFF}:
            self.close_connection = True
            return
        content = answer.content
        surplus = 100 if answer.fault is Fault.STOPS_HALFWAY else 0
        self.send_response(answer.status)
        headers = {"Content-Type": "application/json", **answer.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content) + surplus))
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = bool(surplus)

    do_DELETE = do_GET = do_PATCH = do_POST = do_PUT = _respond  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
