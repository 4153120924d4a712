"""A business's own system, which is told of accesses; and somebody who subscribes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from rekindle.channels.webhook.posting.signing import read_secret, sign
from rekindle.testing.biller import FakeBiller

SECRET = "whsec_" + "c2VjcmV0" * 6


@dataclass
class Receiver:
    """What came, as id and data; ``status`` is how it answers, ``says`` what to which id."""

    url: str = ""
    status: int = 200
    takes: tuple[str, ...] = ("access.restored",)
    says: Callable[[str], dict[str, Any]] | None = None
    came: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    heard: threading.Event = field(default_factory=threading.Event)

    def take(self, headers: Any, body: bytes) -> bytes:
        id_, second = headers["webhook-id"], int(headers["webhook-timestamp"])
        assert headers["webhook-signature"] == sign(read_secret(SECRET), id_, second, body)
        told = json.loads(body)
        assert told["type"] in self.takes
        self.kinds.append(told["type"])
        self.came.append((id_, told["data"]))
        return b"" if self.says is None else json.dumps(self.says(id_)).encode()


@contextmanager
def listening() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = found.take(self.headers, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(found.status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)
            found.heard.set()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_address[1]}/access"
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def subscriber(fake: FakeBiller, name: str = "u1", does: str = "pays") -> tuple[str, str]:
    """Let somebody subscribe; return the subscription and the card."""
    world = fake.world
    customer, price = world.add_customer(user_id=name)["id"], world.add_plan()["id"]
    card = str(world.add_card(customer, does)["id"])
    return str(world.subscribe(customer, price)["id"]), card
