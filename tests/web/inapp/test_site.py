"""Over the whole site: a page asks, somebody buys, and there is nothing more to be seen."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from rekindle.desk import explain_customer
from rekindle.ledger import ApiKeys, Scope, disconnect
from rekindle.web import build_site
from rekindle.web.api.inapp import sign_person
from tests.runtime.shops import NOW
from tests.web.api.caller import Caller, serving
from tests.web.inapp.asking import DAY, SECRET, Shop, build

HOUR = timedelta(hours=1)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("REKINDLE_INAPP_SECRET", SECRET)
    build(tmp_path / "shop")
    shop = Shop(tmp_path / "shop")
    yield shop
    disconnect(shop.space.ledger)
    shutil.rmtree(tmp_path / "shop")


def test_a_purchase_reported_by_the_server_takes_down_what_the_page_shows(shop: Shop) -> None:
    keys = ApiKeys(shop.space.ledger)
    server = keys.create("server", source="web", scopes=[Scope.EVENTS], at=NOW)
    browser = keys.create("page", source="web", scopes=[Scope.BROWSER], at=NOW)
    token = sign_person(SECRET, "ann", NOW + HOUR)
    with serving(build_site(shop.space)) as port:
        page, back_end = Caller(port, browser), Caller(port, server)

        def seen() -> str | None:
            answer = page.ask("GET", "/v1/inapp", b"", Rekindle_Person=token)
            assert answer.status == 200
            message = answer.document["message"]
            return None if message is None else str(message["id"])

        key = seen()
        assert key is not None
        (message,) = shop.space.history.messages_of_person("ann")
        assert message.kept_until == NOW + 10 * DAY
        told = {"token": token, "events": [{"message": key, "event": "shown"}] * 2}
        assert page.post("/v1/inapp/events", told).document["new"] == 1
        order = {
            "userId": "ann",
            "event": "Order Completed",
            "properties": {"order_id": "o2", "revenue": 40},
        }
        assert back_end.post("/v1/track", order).status == 200
        assert seen() is None
        late = {"token": token, "events": [{"message": key, "event": "clicked"}]}
        assert page.post("/v1/inapp/events", late).document["new"] == 1
        shop.clock.move(HOUR)
        assert page.ask("GET", "/v1/inapp", b"", Rekindle_Person=token).status == 403
    (message,) = shop.space.history.messages_of_person("ann")
    assert [one.kind.value for one in message.heard] == ["shown", "clicked"]
    assert message.kept_until is None
    said = explain_customer(shop.space, "ann", shop.clock.now()).to_json()["messages"]
    assert [one["kind"] for one in said[0]["heard"]] == ["shown", "clicked"]
