"""A list kept in memory, and a visitor who asks the portal as a web server would."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from wsgiref.util import setup_testing_defaults

from rekindle.errors import LedgerError


@dataclass
class FakeOptOuts:
    """Remembers who left, and fails on request."""

    left: list[tuple[str, str, str]] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)
    is_broken: bool = False
    name: str = "Alice’s Gifts"

    def shop_name(self) -> str:
        return self.name

    def unsubscribe(self, person: str, list_id: str, *, at_source: str, channel: str = "") -> None:
        if self.is_broken:
            raise LedgerError("the ledger is away")
        self.left.append((person, list_id, at_source))
        self.channels.append(channel)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    body: str


@dataclass(frozen=True)
class Visitor:
    """Asks a WSGI application the way a web server does."""

    app: Any

    def ask(self, method: str, path: str, body: bytes = b"", **environ: str) -> Answer:
        seen: list[Any] = []
        environment: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            **environ,
        }
        setup_testing_defaults(environment)
        chunks = self.app(environment, lambda *given: seen.append(given))
        text = b"".join(chunks).decode("utf-8", "surrogateescape")
        chunks.close()
        status, pairs = seen[0][:2]
        headers = Message()
        for name, value in pairs:
            headers[name] = value
        return Answer(int(status.split()[0]), headers, text)
