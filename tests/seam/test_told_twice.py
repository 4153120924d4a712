"""An order that a file and reports of one source tell of is as the newest of them said."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rekindle.facts import FileImport
from rekindle.vocabulary import Reason
from tests.seam.corner import DAY, HOUR, MINUTE, Corner

LINES = """
[[sources]]
name = "shop"
table = "order_lines"
path = "lines*.csv"
[sources.columns]
order_id = "id"
customer_id = "who"
ordered_at = "at"
product_id = "product"
amount = "total"
"""


@pytest.fixture
def told(corner: Corner) -> Corner:
    """A shop whose customer has an old order and one of last week, both in a file."""
    export(corner)
    corner.import_facts()
    corner.clock.move(MINUTE)
    return corner


def export(shop: Corner, total: float = 40, state: str = "completed") -> None:
    """Export the orders; what is said of the newer one may be corrected."""
    at = shop.space.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    rows = [
        ("o1", "ann", at - 200 * DAY, 50, "completed"),
        ("o2", "ann", at - 7 * DAY, total, state),
    ]
    shop.orders(*rows)


def order(shop: Corner, id_: str = "o2") -> dict[str, Any]:
    orders = shop.space.facts.orders
    (row,) = shop.space.engine.run(orders.filter(orders.order_id == id_)).to_pylist()
    return dict(row)


def test_an_unchanged_file_does_not_take_back_what_was_reported(told: Corner) -> None:
    told.report("Order Cancelled", properties={"order_id": "o2"})
    told.import_facts()
    assert order(told)["kind"] == "cancelled"
    told.start()
    for _ in range(2):
        told.clock.move(HOUR)
        assert [one.changed for one in told.import_facts()] == [0, 0]
        told.tick()
        assert order(told)["kind"] == "cancelled"
        assert Reason.ORDER not in told.ended(), "nobody bought"


@pytest.mark.long
def test_a_file_that_says_something_else_counts_again(told: Corner) -> None:
    told.report("Order Cancelled", properties={"order_id": "o2"})
    told.import_facts()
    told.clock.move(HOUR)
    export(told, total=45)
    assert changed(told.import_facts()) == 1
    assert (order(told)["kind"], order(told)["gross"]) == ("purchase", 45)
    assert changed(told.import_facts()) == 0
    # What was reported before it is older than what the file says, and what comes is newer.
    told.report("Order Updated", properties={"order_id": "o2", "revenue": 60})
    told.import_facts()
    assert changed(told.import_facts()) == 0
    assert order(told)["gross"] == 60


@pytest.mark.long
def test_reports_one_after_the_other_stand_against_the_file(told: Corner) -> None:
    for revenue in (60, 70):
        told.report("Order Updated", properties={"order_id": "o2", "revenue": revenue})
        told.import_facts()
        told.clock.move(HOUR)
    # The file never said 60, nor that it was corrected: what it says is as before.
    told.import_facts()
    assert order(told)["gross"] == 70
    export(told, total=60)
    told.import_facts()
    assert order(told)["gross"] == 60


@pytest.mark.long
def test_the_file_is_read_before_what_was_reported_of_a_part(told: Corner) -> None:
    export(told, total=45)
    told.report("Order Updated", properties={"order_id": "o2", "discount": 10})
    for _ in range(2):
        told.import_facts()
        assert (order(told)["gross"], order(told)["discount"]) == (45, 10)


@pytest.mark.long
def test_of_several_files_the_last_is_what_was_said_before(corner: Corner) -> None:
    """An order that stands in two files of a source is as the later one has it."""
    folder = corner.space.directory
    toml = folder / "rekindle.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace('"orders.csv"', '"orders*.csv"'))
    shop = corner.reopened()
    export(shop, total=40)
    Path(folder, "orders.csv").rename(folder / "orders-1.csv")
    export(shop, total=45)
    Path(folder, "orders.csv").rename(folder / "orders-2.csv")
    shop.import_facts()
    shop.report("Order Updated", properties={"order_id": "o2", "revenue": 60})
    shop.import_facts()
    shop.import_facts()
    assert order(shop)["gross"] == 60
    Path(folder, "orders-3.csv").write_text(
        f"id,who,at,total,state\no2,ann,{shop.ago(days=7).isoformat()},50,completed\n"
    )
    shop.import_facts()
    assert order(shop)["gross"] == 50


@pytest.mark.long
def test_lines_of_an_order_that_was_reported_stay_as_they_were_reported(corner: Corner) -> None:
    shop = with_lines(corner)
    write_lines(shop, "o2,tea,30", "o2,pot,10", "o3,tea,30")
    shop.import_facts()
    products = [{"product_id": "cup", "quantity": 1, "price": 15}]
    shop.report("Order Updated", properties={"order_id": "o2", "revenue": 15, "products": products})
    shop.import_facts()
    for _ in range(2):
        shop.import_facts()
        assert (order(shop)["gross"], lines(shop)) == (15, {"cup": 15})
    write_lines(shop, "o2,tea,30", "o2,pot,12", "o3,tea,30")
    shop.import_facts()
    assert (order(shop)["gross"], lines(shop)) == (42, {"tea": 30, "pot": 12})
    shop.import_facts()
    assert lines(shop) == {"tea": 30, "pot": 12}


@pytest.mark.long
def test_other_lines_of_the_same_worth_stay_as_well(corner: Corner) -> None:
    shop = with_lines(corner)
    write_lines(shop, "o2,tea,30")
    shop.import_facts()
    products = [{"product_id": "pot", "quantity": 1, "price": 30}]
    shop.report("Order Updated", properties={"order_id": "o2", "revenue": 30, "products": products})
    shop.import_facts()
    shop.import_facts()
    assert lines(shop) == {"pot": 30}


@pytest.mark.long
def test_an_order_that_no_file_ever_told_is_not_remembered(corner: Corner) -> None:
    shop = corner.reopened()
    shop.orders(("o1", "ann", shop.ago(days=200), 50, "completed"))
    shop.import_facts()
    for revenue in (30, 40):
        shop.report("Order Completed", properties={"order_id": "o9", "revenue": revenue})
        shop.import_facts()
    assert order(shop, "o9")["gross"] == Decimal(40)


@pytest.mark.long
def test_reports_are_counted_in_one_row_a_table(told: Corner) -> None:
    for revenue in (60, 70, 80):
        told.report("Order Updated", properties={"order_id": "o2", "revenue": revenue})
        told.import_facts()
    books = told.space.facts.bookkeeping or {}
    rows = told.space.engine.run(books["imports"]).to_pylist()
    assert {row["file"]: row["read"] for row in rows} == {
        "orders.csv": 2,
        "people.csv": 1,
        "state/intake/shop-orders": 3,
    }


def with_lines(shop: Corner) -> Corner:
    toml = shop.space.directory / "rekindle.toml"
    text = toml.read_text(encoding="utf-8").replace('name = "shop"', 'name = "till"', 1)
    toml.write_text(text + LINES, encoding="utf-8")
    shop.orders(("o1", "ann", shop.ago(days=200), 50, "completed"))
    return shop.reopened()


def write_lines(shop: Corner, *rows: str) -> None:
    text = "".join(f"{row},ann,2025-12-20T00:00:00+00:00\n" for row in rows)
    Path(shop.space.directory, "lines.csv").write_text(f"id,product,total,who,at\n{text}")


def lines(shop: Corner) -> dict[str, float]:
    held = shop.space.facts.order_lines
    rows = shop.space.engine.run(held.filter(held.order_id == "o2")).to_pylist()
    return {row["product_id"]: float(row["amount"]) for row in rows}


def changed(found: list[FileImport]) -> int:
    return sum(one.changed for one in found)
