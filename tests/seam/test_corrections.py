"""What is known of an order follows the order, whatever it was taken for before."""

from __future__ import annotations

import pytest

from rekindle.desk import report_journey
from rekindle.errors import EventError
from rekindle.ledger import LedgerBook
from rekindle.ledger.models import Signal
from rekindle.runtime import Workspace
from rekindle.vocabulary import Reason
from tests.seam.corner import DAY, HOUR, MINUTE, Corner


@pytest.fixture
def win(corner: Corner) -> Corner:
    """A shop whose only customer entered with order o1, of 200 days ago."""
    corner.orders(("o1", "ann", corner.ago(days=200), 50, "completed"))
    corner.import_facts()
    corner.start()
    assert corner.ended() == [None]
    corner.clock.move(MINUTE)
    return corner


def bring(shop: Corner, *rows: tuple[str, float, str]) -> None:
    """Export orders of ann's by id, days ago and state, and let a pass see them."""
    shop.orders(*((i, "ann", shop.ago(days=days), 40, state) for i, days, state in rows))
    shop.import_facts()
    shop.tick()


O1 = ("o1", 200, "completed")


@pytest.mark.long
def test_an_order_reported_with_an_old_date_ends_once_it_is_corrected(win: Corner) -> None:
    old = win.ago(days=230).isoformat()
    win.report("Order Completed", timestamp=old, properties={"order_id": "o9", "revenue": 40})
    win.import_facts()
    win.tick()
    assert win.ended() == [None]
    win.clock.move(MINUTE)
    bring(win, O1, ("o9", 0.0001, "completed"))
    assert win.ended() == [Reason.ORDER]
    win.tick(after=3 * HOUR)
    assert win.mails() == 0


@pytest.mark.long
@pytest.mark.draws(1)
@pytest.mark.parametrize("before", [("o2", 230, "draft"), ("o2", 230, "cancelled"), None])
def test_what_was_no_sale_at_first_ends_when_it_is_one(
    corner: Corner, before: tuple[str, float, str] | None
) -> None:
    rows = [O1] if before is None else [O1, before]
    corner.orders(*((i, "ann", corner.ago(days=days), 40, state) for i, days, state in rows))
    corner.import_facts()
    corner.start()
    corner.clock.move(MINUTE)
    bring(corner, O1, ("o2", 230, "completed"))
    # An old order that nobody saw before is history; one that turned into a sale is news.
    assert corner.ended() == [None if before is None else Reason.ORDER]


def test_the_order_somebody_entered_with_is_no_return_however_it_moves(win: Corner) -> None:
    bring(win, ("o1", 100, "completed"))
    win.tick(after=MINUTE)
    bring(win, ("o1", 0.0001, "completed"))
    assert win.ended() == [None]
    bring(win, ("o1", 0.0001, "completed"), ("o2", 0.0001, "completed"))
    assert win.ended() == [Reason.ORDER]


@pytest.mark.long
def test_a_zone_that_is_corrected_brings_nobody_back(corner: Corner) -> None:
    corner.orders(("o1", "ann", corner.ago(days=200).replace(tzinfo=None), 50, "completed"))
    corner.import_facts()
    corner.start()
    toml = corner.space.directory / "rekindle.toml"
    text = toml.read_text(encoding="utf-8")
    text = text.replace('path = "orders.csv"', 'path = "orders.csv"\ntimezone = "Pacific/Honolulu"')
    toml.write_text(text, encoding="utf-8")
    Workspace.open(corner.space.directory, clock=corner.clock).import_facts()
    corner.space.forget_facts()
    corner.tick(after=MINUTE)
    newest = corner.space.facts.orders.ordered_at.max().to_pyarrow().as_py()
    assert newest > corner.ago(days=200) + HOUR
    assert corner.ended() == [None]


@pytest.mark.long
def test_an_order_that_gets_its_customer_later_is_a_return(win: Corner) -> None:
    rows = [("o1", "ann", win.ago(days=200), 50, ""), ("o2", "", win.ago(days=2), 40, "")]
    win.orders(*rows)
    win.import_facts()
    win.tick()
    assert win.ended() == [None]
    bring(win, O1, ("o2", 2, "completed"))
    assert win.ended() == [Reason.ORDER]


@pytest.mark.long
def test_a_first_purchase_that_arrives_late_is_a_purchase(corner: Corner) -> None:
    corner.people(ann="yes,2020-01-01;2020-01-01")
    corner.orders(("x", "bob", corner.ago(days=400), 50, ""))
    corner.import_facts()
    corner.start("orders_count = 0")
    assert [one.person for one in corner.enrolments()] == ["ann"]
    corner.clock.move(MINUTE)
    bring(corner, ("o1", 20, "completed"))
    assert corner.ended() == [Reason.ORDER]


@pytest.mark.long
def test_somebody_at_the_till_is_left_in_peace(win: Corner) -> None:
    win.clock.move(HOUR)
    bring(win, O1, ("o2", 0.01, "pending"))
    assert win.ended() == [Reason.ORDER]


def test_ids_with_colons_do_not_collide(corner: Corner) -> None:
    corner.orders(
        ("a", "ann", corner.ago(days=200), 50, ""), ("b", "x:ann", corner.ago(days=200), 50, "")
    )
    corner.import_facts()
    corner.start()
    corner.clock.move(MINUTE)
    corner.orders(
        ("o:x", "ann", corner.ago(seconds=5), 50, ""), ("o", "x:ann", corner.ago(seconds=5), 5, "")
    )
    corner.import_facts()
    corner.tick()
    assert corner.ended() == [Reason.ORDER, Reason.ORDER]


@pytest.mark.long
def test_a_return_that_is_taken_back_ends_no_later_entry(win: Corner) -> None:
    bring(win, O1, ("o2", 0.0001, "completed"))
    assert win.ended() == [Reason.ORDER]
    path = win.space.directory / "journeys" / "win.yaml"
    text = path.read_text(encoding="utf-8")
    win.tick(after=DAY)
    bring(win, O1, ("o2", 1, "cancelled"))
    win.start(text=text.replace("holdout: none", "holdout: none\nreenter: after 1 days"))
    win.tick(after=MINUTE)
    assert win.ended() == [Reason.ORDER, None]
    win.tick(after=3 * HOUR)
    assert win.mails() == 1


@pytest.mark.long
def test_an_order_without_amounts_is_refused_with_a_word(win: Corner) -> None:
    with pytest.raises(EventError, match="write revenue 0 if nothing was paid"):
        win.report("Order Completed", properties={"order_id": "o2", "products": [{"sku": "p"}]})


@pytest.mark.long
def test_a_partial_update_leaves_an_order_of_the_file_as_it_was(win: Corner) -> None:
    before = win.space.facts.orders.drop("changed_in").to_pyarrow().to_pylist()
    win.report("Order Updated", properties={"order_id": "o1", "note": "gift"})
    win.import_facts()
    assert win.space.facts.orders.drop("changed_in").to_pyarrow().to_pylist() == before


@pytest.mark.long
def test_the_report_holds_a_message_after_a_purchase_in_the_facts_against_us(
    win: Corner, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(LedgerBook, "record", lambda *_, **__: 0)
        bring(win, O1, ("o2", 0.0001, "completed"))
        win.tick(after=3 * HOUR)
        assert win.mails() == 1
    report = report_journey(win.space, "win")
    assert (report.sent_after_return, report.sent_before_known) == (1, 0)


@pytest.mark.long
def test_the_report_tells_a_purchase_that_was_corrected_too_late_apart(win: Corner) -> None:
    bring(win, O1, ("o2", 230, "completed"))
    win.tick(after=3 * HOUR)
    assert win.mails() == 1
    bring(win, O1, ("o2", 0.1, "completed"))
    report = report_journey(win.space, "win")
    assert (report.sent_after_return, report.sent_before_known) == (0, 1)
    (arm,) = (arm for arm in report.arms.values() if arm.assigned)
    assert arm.returned == 1


@pytest.mark.long
def test_the_report_takes_no_moved_order_for_a_return(win: Corner) -> None:
    bring(win, ("o1", 0.0001, "completed"))
    report = report_journey(win.space, "win")
    (arm,) = (arm for arm in report.arms.values() if arm.assigned)
    assert arm.returned == 0


def give_back(shop: Corner, *rows: tuple[str, float, float]) -> None:
    """Export orders of ann's by id, hours ago and total, and let a pass see them."""
    shop.orders(*((i, "ann", shop.ago(hours=hours), total, "") for i, hours, total in rows))
    shop.import_facts()
    shop.tick()


@pytest.mark.long
def test_an_order_that_is_given_back_at_once_stays_what_it_was_when_it_was_seen(
    win: Corner,
) -> None:
    old, new, back = ("o1", 4800, 50), ("o2", 0.01, 40), ("r2", 0.01, -40)
    give_back(win, old, new)
    assert win.ended() == [Reason.ORDER]
    win.clock.move(HOUR)
    give_back(win, old, ("o2", 1.01, 40), back)
    assert win.ended() == [Reason.ORDER]  # they were let go, and are not taken back
    signals = list(Signal.objects.using(win.space.ledger).values_list("subject", "is_void"))
    assert signals == [("o2", True)]
    # A file that takes the refund back makes it a purchase again.
    give_back(win, old, ("o2", 1.02, 40), ("r2", 0.01, -39))
    assert Signal.objects.using(win.space.ledger).filter(is_void=False).count() == 1


@pytest.mark.long
def test_an_order_that_becomes_another_customers_is_no_purchase_of_the_former(
    win: Corner,
) -> None:
    bring(win, O1, ("o2", 0.0001, "completed"))
    assert win.ended() == [Reason.ORDER]
    win.clock.move(MINUTE)
    win.people(ann="yes,", bob="yes,")
    rows = (("o1", "ann", win.ago(days=200), 50, ""), ("o2", "bob", win.ago(minutes=2), 40, ""))
    win.orders(*rows)
    win.import_facts()
    win.tick()
    known = Signal.objects.using(win.space.ledger).filter(kind="order", is_void=False)
    assert not known.filter(person_id="ann").exists()
    for who in ("", "ann"):
        win.clock.move(MINUTE)
        win.orders(rows[0], ("o2", who, win.ago(minutes=2), 40, ""))
        win.import_facts()
        win.tick()
        assert known.filter(person_id="ann").exists() == (who == "ann")
