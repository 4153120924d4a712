"""Baskets that are reported: who may, when they are known, and that an erasure reaches them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from rekindle.clock import MovableClock
from rekindle.desk import erase_person
from rekindle.ledger import ApiKeys, Scope
from rekindle.runtime import Workspace
from rekindle.web.api import build_api
from rekindle.worker import LedgerIntake
from rekindle.worker.showing import BASKET, load_blocks
from tests.web.api.caller import Caller, serving
from tests.web.api.fake_intake import NOW

MINUTE = timedelta(minutes=1)
MUG = {"product_id": "p1", "name": "Mug", "quantity": 2, "price": 12.5, "url": "https://s.example/"}
LAMP = {"product_id": "p2", "name": "Lamp", "price": 40}


@pytest.fixture
def browser(space: Workspace, intake: LedgerIntake) -> Iterator[Caller]:
    """Yield a page that reports to the same source."""
    key = ApiKeys(space.ledger).create("page", source="web", scopes=[Scope.BROWSER], at=NOW)
    with serving(build_api(intake)) as port:
        yield Caller(port, key)


def cart(name: str, *products: Any, who: str = "ada", ago: timedelta = 5 * MINUTE) -> Any:
    at = (NOW - ago).isoformat()
    given = {"products": list(products)}
    return {"type": "track", "event": name, "userId": who, "timestamp": at, "properties": given}


def waiting(space: Workspace, person: str = "ada") -> list[tuple[str, str, str | None]]:
    """Return what is shown to somebody now."""
    shown = load_blocks(space, [person], [BASKET], space.clock.now())[person][BASKET]
    return [(str(one["quantity"]), str(one["name"]), one["price"]) for one in shown]


def kept(space: Workspace) -> list[tuple[str, str]]:
    rows = space.engine.run(space.facts.more["baskets"]).to_pylist()
    return sorted((row["customer_id"], row["product_id"]) for row in rows)


def test_a_basket_is_shown_before_an_import_and_after_it(space: Workspace, caller: Caller) -> None:
    caller.send(cart("Cart Viewed", LAMP, ago=9 * MINUTE))
    space.import_reports()
    assert waiting(space) == [("1", "Lamp", "£40.00")]
    caller.send(cart("Cart Updated", MUG))
    assert waiting(space) == [("2", "Mug", "£12.50")]
    assert kept(space) == [("ada", "p2")]
    space.import_reports()
    assert waiting(space) == [("2", "Mug", "£12.50")]
    assert kept(space) == [("ada", "p1"), ("ada", "p2")]
    caller.send(cart("Cart Updated", ago=2 * MINUTE))
    assert waiting(space) == []
    space.import_reports()
    assert waiting(space) == []


@pytest.mark.long
def test_what_comes_late_is_judged_by_its_own_instant(space: Workspace, caller: Caller) -> None:
    caller.send(cart("Cart Updated", MUG))
    space.import_reports()
    caller.send(cart("Cart Updated", LAMP, ago=60 * MINUTE))
    for _ in range(2):
        assert waiting(space) == [("2", "Mug", "£12.50")]
        space.import_reports()


@pytest.mark.long
@pytest.mark.parametrize("products", [[{"product_id": "p1", "price": 1}], []])
def test_who_bought_a_moment_ago_has_nothing_waiting(
    space: Workspace, caller: Caller, products: list[Any]
) -> None:
    """A message is composed between the order and its import; it says nothing that is over."""
    caller.send(cart("Cart Viewed", MUG, LAMP))
    space.import_reports()
    assert len(waiting(space)) == 2
    order = {"order_id": "7", "revenue": 25, "products": products}
    at = (NOW - MINUTE).isoformat()
    caller.send(caller.track("Order Completed", properties=order, timestamp=at))
    assert waiting(space) == []
    space.import_reports()
    assert waiting(space) == []


@pytest.mark.long
def test_what_was_reported_of_somebody_else_is_not_theirs(space: Workspace, caller: Caller) -> None:
    caller.send(cart("Cart Viewed", MUG), cart("Cart Viewed", LAMP, who="bob"))
    space.import_reports()
    caller.send(cart("Cart Updated", who="bob", ago=MINUTE))
    assert (len(waiting(space)), len(waiting(space, "bob"))) == (1, 0)


@pytest.mark.long
def test_a_page_reports_the_basket_of_its_visitor_without_prices(
    space: Workspace, caller: Caller, browser: Caller
) -> None:
    caller.send({"type": "identify", "userId": "ada", "anonymousId": "v1", "traits": {}})
    own = cart("Cart Updated", MUG) | {"anonymousId": "v1", "userId": "bob"}
    assert not browser.send(own).reasons
    for _ in range(2):
        assert waiting(space) == ([("2", "Mug", None)] if space.has_facts else [])
        assert waiting(space, "bob") == []
        space.import_reports()
    assert kept(space) == [("ada", "p1")]
    (row,) = space.engine.run(space.facts.more["baskets"]).to_pylist()
    assert (row["unit_price"], row["url"]) == (None, None)


def test_a_page_reports_no_basket_that_begins_a_journey_or_is_bought(browser: Caller) -> None:
    calls = [
        cart(name, MUG) | {"anonymousId": "v1"} for name in ("Cart Abandoned", "Basket Filled")
    ]
    order = {"order_id": "1", "revenue": 5}
    calls.append({"type": "track", "event": "Order Completed", "anonymousId": "v1"})
    calls[-1]["properties"] = order
    assert browser.send(*calls).reasons == ["not_allowed"] * 3


@pytest.mark.long
def test_what_a_machine_did_is_no_basket(space: Workspace, caller: Caller) -> None:
    call = cart("Cart Updated", MUG)
    call["properties"]["bot"] = True
    caller.send(call, cart("Cart Viewed", LAMP, ago=9 * MINUTE))
    space.import_reports()
    assert kept(space) == [("ada", "p2")]


@pytest.mark.long
@pytest.mark.parametrize("is_imported", [True, False])
def test_an_erasure_reaches_baskets(space: Workspace, caller: Caller, *, is_imported: bool) -> None:
    caller.send(cart("Cart Viewed", MUG), cart("Cart Viewed", LAMP, who="bob"))
    if is_imported:
        space.import_reports()
    erase_person(space, "ada", who="ann")
    space.import_reports()
    assert kept(space) == [("bob", "p2")]
    assert waiting(space) == []
    assert caller.send(cart("Cart Viewed", LAMP, ago=MINUTE)).reasons == ["erased"]


@pytest.mark.long
def test_bad_products_never_stop_an_import(space: Workspace, caller: Caller) -> None:
    names = ["{{ email }}{% raw %}", "a\r\nBcc: b@x", "x" * 10_000, "\u202egnp", "<script>"]
    bad = [
        None,
        7,
        {"product_id": ["p"]},
        {"product_id": "p" * 300},
        {"product_id": "javascript:x"},
    ]
    good = [{"product_id": f"n{n}", "name": name, "price": "1e400"} for n, name in enumerate(names)]
    answer = caller.send(cart("Cart Updated", *bad, *good))
    assert answer.document == {"success": True}
    found = space.import_reports()
    assert [one.quarantined for one in found] == [0, 0]
    assert len(kept(space)) == 6
    shown = load_blocks(space, ["ada"], [BASKET], space.clock.now())["ada"][BASKET]
    assert all(str(one["name"]).isprintable() and len(str(one["name"])) <= 120 for one in shown)


@pytest.mark.long
def test_baskets_of_last_quarter_are_taken_out(space: Workspace, caller: Caller) -> None:
    caller.send(cart("Cart Viewed", MUG, ago=timedelta(days=91)), cart("Cart Viewed", LAMP))
    space.import_reports()
    assert len(kept(space)) == 2
    clock = space.clock
    assert isinstance(clock, MovableClock)
    clock.move(timedelta(days=2))
    caller.send(cart("Cart Viewed", LAMP, who="bob"))
    (told,) = [one for one in space.import_reports() if one.table == "baskets"]
    assert told.notes == ("baskets: 1 row older than 92 days taken out",)
    assert kept(space) == [("ada", "p2"), ("bob", "p2")]
