"""What came under an id while it was somebody else's goes with the id when they part."""

from __future__ import annotations

import pytest

from rekindle.identity import JoinReason, Link
from rekindle.ledger.intake_models import Event
from tests.seam.corner import MINUTE, Corner

ORDER = {"order_id": "x", "revenue": 5}


def join(shop: Corner) -> None:
    link = Link("bea", "ann", JoinReason.BY_HAND, "")
    shop.space.book.persons.join([link], shop.now, by="test")


def part(shop: Corner) -> None:
    shop.clock.move(MINUTE)
    shop.space.book.persons.part(["bea"], shop.now, by="test")
    passed(shop)


def passed(shop: Corner) -> None:
    """Import the files and what was reported, and make a pass."""
    shop.clock.move(MINUTE)
    shop.import_facts()
    shop.tick()


def buyers(shop: Corner) -> dict[str, str]:
    engine, facts = shop.space.reading
    rows = engine.run(facts.orders.select("order_id", "customer_id")).to_pylist()
    return {row["order_id"]: row["customer_id"] for row in rows}


def card(shop: Corner, person: str) -> tuple[str | None, str | None, str | None]:
    found = shop.space.history.person(person)
    assert found is not None
    return found.address, found.phone, found.properties.get("first_name")


@pytest.fixture
def two(corner: Corner) -> Corner:
    at = corner.ago(days=200)
    corner.orders(("a", "ann", at, 50, "completed"), ("b", "bea", at, 50, "completed"))
    corner.people(ann="yes,", bea="yes,")
    passed(corner)
    return corner


@pytest.mark.long
def test_what_was_reported_goes_with_its_id(two: Corner) -> None:
    two.report("Product Viewed", userId="bea", messageId="before")
    join(two)
    two.report("Order Completed", userId="bea", properties=ORDER, messageId="order")
    two.report("", "identify", userId="bea", anonymousId="v1", messageId="link")
    two.report("Product Viewed", userId=None, anonymousId="v1", messageId="visit")
    two.report("Product Viewed", userId="ann", messageId="own")
    passed(two)
    assert buyers(two) == {"a": "ann", "b": "ann", "x": "ann"}
    part(two)
    assert buyers(two) == {"a": "ann", "b": "bea", "x": "bea"}
    space = two.space
    rows = Event.objects.using(space.ledger).values_list("message_id", "person")
    theirs = dict.fromkeys(("before", "order", "link", "visit"), "bea")
    assert dict(rows) == {**theirs, "own": "ann"}
    assert space.book.persons.ids_of("bea") == [" v1"]
    for person, bought in (("ann", False), ("bea", True)):
        signals = space.history.signals_of(person)
        assert any(one.kind == "order" for one in signals) is bought
    engine, facts = space.reading
    events = engine.run(facts.events.select("event_id", "customer_id")).to_pylist()
    assert {row["event_id"]: row["customer_id"] for row in events} == {
        "before": "bea",
        "visit": "bea",
        "own": "ann",
    }


@pytest.mark.long
def test_what_somebody_said_of_themselves_goes_with_their_id(two: Corner) -> None:
    two.report("", "identify", userId="bea", traits={"email": "new@example.com"}, messageId="1")
    join(two)
    assert card(two, "ann") == ("new@example.com", None, None)
    traits = {"phone": "+44 20 7946 0000", "firstName": "Bea"}
    two.report("", "identify", userId="bea", traits=traits, messageId="2")
    passed(two)
    assert card(two, "ann") == ("new@example.com", "+44 20 7946 0000", "Bea")
    part(two)
    for _ in range(2):
        assert card(two, "ann") == ("ann@example.com", None, None)
        assert card(two, "bea") == ("new@example.com", "+44 20 7946 0000", "Bea")
        passed(two)
    two.people(ann="yes,", bea="yes,")
    path = two.space.directory / "people.csv"
    path.write_text(path.read_text("utf-8").replace("bea@", "third@"), encoding="utf-8")
    passed(two)
    assert card(two, "bea")[0] == "third@example.com"


def test_the_newer_word_of_two_stands(two: Corner) -> None:
    two.report("", "identify", userId="bea", traits={"email": "older@example.com"}, messageId="1")
    two.clock.move(MINUTE)
    two.report("", "identify", userId="ann", traits={"email": "newer@example.com"}, messageId="2")
    join(two)
    assert card(two, "ann")[0] == "newer@example.com"
