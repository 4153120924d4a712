"""Lets a biller's world be asked over HTTP, as Stripe's API is.

Writing requests take an idempotency key: the same one is answered as before, and refused where
it comes with something else. What is asked for is kept, so that a test may look at it.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from rekindle.clock import MovableClock
from rekindle.testing.biller.world import VERSION, BillerWorld, Refusal, Thing

KINDS = {
    "customers": "customer",
    "products": "product",
    "prices": "price",
    "coupons": "coupon",
    "subscriptions": "subscription",
    "invoices": "invoice",
    "invoice_payments": "invoice_payment",
    "charges": "charge",
    "payment_methods": "payment_method",
}
KEY = "sk_test_fake"
ASKED = frozenset({"payments", "applies_to"})
"""What an invoice or a coupon only says where it is asked to."""
DEEPEST = 4
"""How many levels of a thing are expanded at the most, as Stripe does; `data` is one."""


class FakeBiller:
    """A running server: its world, where it listens, and what it was asked."""

    key_header = "Idempotency-Key"

    def __init__(self, world: BillerWorld) -> None:
        self.world, self.url = world, ""
        self.asked: list[tuple[str, str, Thing]] = []
        self.breaks_after: int | None = None  # so many answers, then none
        self._answers: dict[str, tuple[Any, int, Thing]] = {}
        self._lock = threading.Lock()

    def refuses(self, headers: Message) -> tuple[int, Thing] | None:
        """Return what a request without our key, or of another version, is answered."""
        error = {"type": "invalid_request_error"}
        if headers.get("Authorization") != f"Bearer {KEY}":
            return 401, {"error": {**error, "message": "key"}}
        if headers.get("Stripe-Version") != VERSION:
            return 400, {"error": {**error, "message": "old"}}
        return None

    def answer(self, method: str, path: str, wanted: Thing, key: str) -> tuple[int, Thing]:
        """Return a status and a body; one request at a time."""
        with self._lock:
            self.asked.append((method, path, wanted))
            if not key:
                return self._do(method, path, wanted)
            asked = (method, path, json.dumps(wanted, sort_keys=True))
            if key in self._answers:
                before, status, body = self._answers[key]
                if before != asked:
                    kind = "idempotency_error"
                    return 400, {"error": {"type": kind, "message": "another request"}}
                return status, body
            status, body = self._do(method, path, wanted)
            self._answers[key] = (asked, status, json.loads(json.dumps(body)))
            return status, body

    def _do(self, method: str, path: str, wanted: Thing) -> tuple[int, Thing]:
        try:
            found = self._route(method, path.removeprefix("/v1/").strip("/"), wanted)
            return 200, self._expanded(found, wanted.get("expand") or [])
        except Refusal as refusal:
            return refusal.status, {"error": refusal.error}

    def _route(self, method: str, path: str, wanted: Thing) -> Thing:
        world, (kind, _, rest) = self.world, path.partition("/")
        id_, _, verb = rest.partition("/")
        acts: dict[tuple[str, str, str], Callable[[], Thing]] = {
            ("POST", "subscriptions", ""): lambda: (
                world.update_subscription(id_, wanted) if id_ else world.create_subscription(wanted)
            ),
            ("DELETE", "subscriptions", ""): lambda: world.end(id_),
            ("POST", "subscriptions", "resume"): lambda: world.resume(id_),
            ("POST", "invoices", "pay"): lambda: world.pay(id_, wanted),
            ("POST", "billing_portal", ""): lambda: world.open_portal(wanted),
        }
        if act := acts.get((method, kind, verb)):
            return act()
        if method != "GET" or kind not in KINDS or verb:
            raise Refusal(404, "invalid_request_error", "url_invalid")
        if id_:
            return world.find(id_, KINDS[kind])
        return {**world.list_things(KINDS[kind], wanted), "url": f"/v1/{kind}"}

    def _expanded(self, thing: Thing, paths: list[str]) -> Thing:
        found: Thing = json.loads(json.dumps(self._whole(thing)))
        for path in paths:
            if path.count(".") >= DEEPEST:
                raise Refusal(400, "invalid_request_error", "property_expansion_max_depth")
            self._expand(found, path.split("."))
        return found

    def _whole(self, thing: Thing) -> Thing:
        if thing["object"] == "list":
            return {**thing, "data": [self._whole(one) for one in thing["data"]]}
        shown = self.world.whole(thing)
        return {name: value for name, value in shown.items() if name not in ASKED}

    def _expand(self, found: Any, path: list[str]) -> None:
        if isinstance(found, list):
            for one in found:
                self._expand(one, path)
            return
        if not path or not isinstance(found, dict):
            return
        name, *rest = path
        value = found.get(name)
        if name in ASKED:
            value = self.world.things[found["id"]].get(name)
        if isinstance(value, str) and value in self.world.things:
            thing = self.world.things[value]
            is_gone = thing["object"] == "coupon" and thing.get("deleted")
            value = value if is_gone else self._whole(thing)
        elif isinstance(value, list):
            things = self.world.things
            value = [self._whole(things[one]) if str(one) in things else one for one in value]
        found[name] = json.loads(json.dumps(value))
        self._expand(found[name], rest)


def read_form(text: str) -> Thing:
    """Return what a form in Stripe's encoding holds: ``items[0][price]=…`` nests."""
    found: Thing = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        parts = re.findall(r"[^\[\]]+", name)
        place = found
        for part in parts[:-1]:
            place = place.setdefault(part, {})
        place[parts[-1]] = value
    listed: Thing = _listed(found)
    return listed


def _listed(found: Any) -> Any:
    """Return nested fields, with a list where the names are numbers."""
    if not isinstance(found, dict):
        return found
    inner = {name: _listed(value) for name, value in found.items()}
    is_list = bool(inner) and all(name.isdecimal() for name in inner)
    return [inner[name] for name in sorted(inner, key=int)] if is_list else inner


@contextmanager
def running_biller(
    clock: MovableClock, *, webhook_secret: str = "whsec_test"
) -> Iterator[FakeBiller]:
    """Run a biller on loopback that speaks as Stripe; it stops with the block."""
    fake = FakeBiller(BillerWorld(clock, webhook_secret=webhook_secret))
    with serving(fake):
        yield fake


@contextmanager
def serving(fake: FakeBiller) -> Iterator[None]:
    """Let a biller be asked at a free port of loopback; it stops with the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(fake))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(fake: FakeBiller) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            if (refusal := fake.refuses(self.headers)) is not None:
                self._write(*refusal)
                return
            if fake.breaks_after is not None:
                if fake.breaks_after == 0:
                    self.close_connection = True
                    return
                fake.breaks_after -= 1
            wanted = read_form(url.query if self.command == "GET" else body)
            key = self.headers.get(fake.key_header, "") if self.command == "POST" else ""
            self._write(*fake.answer(self.command, url.path, wanted, key))

        do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the names the library asks for

        def _write(self, status: int, body: Thing) -> None:
            written = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Handler
