"""A real web server around an application, and someone who calls it."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from typing import Any

import waitress
from django.db import connections
from waitress import wasyncore


@dataclass(frozen=True)
class Reply:
    status: int
    headers: HTTPMessage
    document: Any

    @property
    def reasons(self) -> list[str]:
        """Return why events were refused, in the order of the batch."""
        return [refused["reason"] for refused in self.document.get("refused", [])]


@contextmanager
def serving(application: Any) -> Iterator[int]:
    """Serve on a free port of the loopback, in a thread of this process."""

    def closing(environ: Any, start_response: Any) -> Any:
        try:
            return application(environ, start_response)
        finally:
            connections.close_all()  # nobody else closes those of the server's threads

    server = waitress.create_server(closing, host="127.0.0.1", port=0, threads=2)
    stopping = threading.Event()

    def run() -> None:
        while not stopping.is_set():
            wasyncore.loop(timeout=0.02, count=1, map=server._map)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield int(server.effective_port)
    finally:
        stopping.set()
        thread.join(timeout=10)
        server.task_dispatcher.shutdown()
        wasyncore.close_all(server._map)


@dataclass(frozen=True)
class Caller:
    """Calls the API as the client libraries do."""

    port: int
    secret: str

    def track(self, event: str, **given: Any) -> dict[str, Any]:
        """Return a track call by Ada."""
        return {"type": "track", "event": event, "userId": "ada", **given}

    def send(self, *calls: Any, path: str = "/v1/batch") -> Reply:
        """Send calls as one batch."""
        return self.post(path, {"batch": list(calls)})

    def post(self, path: str, document: Any) -> Reply:
        """Send one document."""
        return self.ask("POST", path, json.dumps(document).encode())

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Reply:
        """Send anything; ``headers`` replace the ones that are usual."""
        basic = "Basic " + b64encode(f"{self.secret}:".encode()).decode()
        usual = {"Content-Type": "application/json", "Authorization": basic}
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in {**usual, **given}.items() if value}
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            text = answer.read()
            return Reply(answer.status, answer.headers, json.loads(text) if text else None)
        finally:
            connection.close()
