"""What was reported comes back where the facts begin anew, or have lost something."""

from __future__ import annotations

import shutil

import pytest

from rekindle.desk import erase_person
from rekindle.intake import reading
from rekindle.ledger import Inbox
from tests.seam.corner import MINUTE, Corner


@pytest.fixture
def reported(corner: Corner) -> Corner:
    """A shop with an order of a file, and of ann's reports an order, a visit and a name."""
    corner.orders(("o1", "ann", corner.ago(days=200), 50, "completed"))
    corner.import_facts()
    corner.clock.move(MINUTE)
    corner.report("Order Completed", properties={"order_id": "o9", "revenue": 30})
    corner.report("Shop Visited")
    corner.report("", type="identify", traits={"first_name": "Ann"})
    corner.import_facts()
    corner.clock.move(MINUTE)
    assert held(corner) == ({"o1", "o9"}, ["shop_visited"], {"Ann"})
    return corner


def held(shop: Corner) -> tuple[set[str], list[str], set[str]]:
    """Return the orders, the events and the first names that the facts have."""
    facts, engine = shop.space.facts, shop.space.engine
    return (
        set(engine.run(facts.orders.select("order_id")).column(0).to_pylist()),
        engine.run(facts.events.select("event")).column(0).to_pylist(),
        set(engine.run(facts.customers.select("first_name")).column(0).to_pylist()) - {None},
    )


def test_facts_that_are_made_afresh_have_what_was_reported(reported: Corner) -> None:
    before = held(reported)
    shutil.rmtree(reported.space.directory / "state" / "lake")
    reported.space.forget_facts()
    reported.import_facts()
    assert held(reported) == before


def test_a_report_without_a_sum_holds_no_other_up(
    reported: Corner, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An earlier release took it, and every import ended in it."""
    monkeypatch.setattr(reading, "check_amounts", lambda *_: None)
    reported.report("Order Refunded", properties={"order_id": "o9", "amount": "12,50"})
    reported.report("Order Completed", properties={"order_id": "o10", "revenue": 30})
    reported.import_facts()
    assert held(reported)[0] == {"o1", "o9", "o10"}
    assert "'o9' of shop says no sum" in caplog.text
    assert Inbox(reported.space.ledger, reported.space.book).spooled(limit=9) == []


@pytest.mark.long
def test_a_table_that_lost_a_file_gets_its_reports_again(reported: Corner) -> None:
    before = held(reported)
    for file in (reported.space.directory / "state" / "lake" / "orders").glob("*.parquet"):
        file.write_bytes(b"")
    reported.space.forget_facts()
    told = " ".join(note for one in reported.import_facts() for note in one.notes)
    assert "come again from the sources and from what was reported" in told
    assert held(reported) == before


@pytest.mark.long
def test_what_was_forgotten_does_not_come_back(reported: Corner) -> None:
    erase_person(reported.space, "ann", who="tests")
    reported.space.forget_erased()
    shutil.rmtree(reported.space.directory / "state" / "lake")
    reported.people(bob="yes,")
    reported.space.forget_facts()
    reported.import_facts()
    assert held(reported) == ({"o1", "o9"}, [], set())


@pytest.mark.long
def test_without_files_the_facts_are_made_of_reports_alone(corner: Corner) -> None:
    toml = corner.space.directory / "rekindle.toml"
    text = toml.read_text(encoding="utf-8")
    toml.write_text(text[: text.index("[[sources]]")] + text[text.index("[quiet_hours]") :])
    shop = corner.reopened()
    shop.report("Order Completed", properties={"order_id": "o9", "revenue": 30})
    shop.import_facts()
    shutil.rmtree(shop.space.directory / "state" / "lake")
    shop.space.forget_facts()
    assert [one.table for one in shop.import_facts()] == ["orders"]
    assert held(shop)[0] == {"o9"}
