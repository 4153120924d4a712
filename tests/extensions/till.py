"""The till of the how-to page, running: the world of a biller, asked by words and JSON."""

from __future__ import annotations

import hmac
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from rekindle.billing import Biller, Notice, find_billers, write_fact
from rekindle.config import BillingSettings
from rekindle.errors import BillerError, BillerRefusedError
from rekindle.testing.biller import FakeBiller, sign_notice
from rekindle.testing.biller.contract import Signed
from tests.billing.stages import WorldStage

KEY = "a key of the till"


def plain(given: Any) -> Any:
    return json.loads(json.dumps(asdict(given), default=_plain)) if given else None


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def facts(said: Sequence[Any]) -> list[Any]:
    return [json.loads(write_fact(one, one.at)) for one in said]


class Till:
    """Answers words by what a biller behind it says."""

    def __init__(self, behind: Biller) -> None:
        self._behind = behind
        self._words: dict[str, Callable[[str, dict[str, str]], Any]] = {
            "list": self._list,
            "renew": self._renew,
            "is_owing": lambda key, told: {"is_owing": behind.is_owing(**told)},
            "look": lambda key, told: {"standing": plain(behind.look(**told))},
            "charge": lambda key, told: {"charge": plain(behind.charge(**told, key=key))},
            "card_page": lambda key, told: {"url": behind.card_page(**told)},
            "adopt_card": lambda key, told: {"charge": plain(behind.adopt_card(**told, key=key))},
            "reactivate": lambda key, told: {"comeback": plain(behind.reactivate(**told, key=key))},
            "cancel": self._cancel,
            "keep": self._keep,
        }

    def answer(self, word: str, key: str, told: dict[str, str]) -> tuple[int, Any]:
        try:
            return 200, self._words[word](key, told)
        except BillerRefusedError:
            return 409, {}
        except BillerError:
            return 503, {}

    def _list(self, key: str, told: dict[str, str]) -> Any:
        page = self._behind.list_page(**told)
        return {"statements": facts(page.statements), "cursor": page.cursor}

    def _renew(self, key: str, told: dict[str, str]) -> Any:
        notice = Notice("", datetime.fromisoformat(told["at"]), "", thing=told["thing"])
        return {"statements": facts(self._behind.renew(notice).statements)}

    def _keep(self, key: str, told: dict[str, str]) -> Any:
        self._behind.keep(**told, key=key)
        return {}

    def _cancel(self, key: str, told: dict[str, str]) -> Any:
        self._behind.cancel(**told, key=key)
        return {}


@contextmanager
def running_till(fake: FakeBiller) -> Iterator[str]:
    """Run a till before a biller's world, and yield where; it stops with the block."""
    settings = BillingSettings(provider="stripe", url=fake.url, customer_key="user_id")
    secrets = {
        "REKINDLE_STRIPE_KEY": "sk_test_fake",
        "REKINDLE_STRIPE_WEBHOOK_SECRET": "whsec_test",
    }
    till = Till(find_billers()["stripe"].build(settings, secrets))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            word, key = self.path.rpartition("/")[2], self.headers["X-Once"]
            is_ours = self.headers["Authorization"] == f"Bearer {KEY}"
            status, told = till.answer(word, key, json.loads(body)) if is_ours else (401, {})
            written = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/api"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class TillStage(WorldStage):
    """A stage before the till, and the sender of its notices."""

    def __init__(self, fake: FakeBiller, biller: Biller) -> None:
        super().__init__(fake.world, fake, biller, "till")
        settings = BillingSettings(provider="stripe", url=fake.url, customer_key="user_id")
        secrets = {
            "REKINDLE_STRIPE_KEY": "sk_test_fake",
            "REKINDLE_STRIPE_WEBHOOK_SECRET": "whsec_test",
        }
        self._behind = find_billers()["stripe"].build(settings, secrets)

    def notices(self) -> Sequence[Signed]:
        now, found = self.clock.now(), []
        for event in self.world.events:
            notice = self._behind.read_notice(*sign_notice("whsec_test", event, now), now)
            if notice is not None:
                told = {**asdict(notice), "statements": facts(notice.statements)}
                found.append(self.signed({"notice": told}))
        return found

    def signed(self, told: dict[str, Any], key: str = KEY) -> Signed:
        at = self.clock.now().isoformat()
        whole = {"version": "3", "shop": "ours", "sent_at": at, **told}
        body = json.dumps(whole, default=_plain).encode()
        return {"x-signature": hmac.new(key.encode(), body, "sha256").hexdigest()}, body

    def forged(self, notice: Signed) -> Sequence[Signed]:
        headers, body = notice
        told = json.loads(body)
        old = {**told, "sent_at": (self.clock.now() - timedelta(minutes=6)).isoformat()}
        return [self.signed(told, "another key"), (headers, body + b" "), self.signed(old)]

    def foreign(self, notice: Signed) -> Signed:
        return self.signed({**json.loads(notice[1]), "shop": "theirs"})

    def outdated(self, notice: Signed) -> Signed:
        return self.signed({**json.loads(notice[1]), "version": "2"})
