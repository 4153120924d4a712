"""Points and prices from files: what is no number stays out, and is told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rekindle.facts import open_lake
from tests.facts.conftest import Desk

POINTS = {
    "name": "club",
    "table": "points",
    "path": "points.csv",
    "columns": {"customer_id": "member", "counted_at": "date", "points": "balance"},
}
PRICES = {
    "name": "till",
    "table": "prices",
    "path": "prices.csv",
    "columns": {"product_id": "sku", "since": "date", "price": "price"},
}


def test_points_in_words_stay_out_and_the_newest_file_corrects_a_day(desk: Desk) -> None:
    desk.write(
        "points.csv",
        "member,date,balance\nann,2025-01-01,many\nbob,2025-01-01,120\ncat,,5\ndan,2025-01-01,\n",
    )
    (told,) = desk.bring(POINTS)
    assert told.quarantined == 3
    desk.write("points.csv", "member,date,balance\nbob,2025-01-01,90\nbob,2025-02-01,40\n")
    desk.bring(POINTS)
    assert sorted(int(row["points"]) for row in held(desk, "points")) == [40, 90]


def test_a_price_in_words_stays_out_and_an_empty_one_ends_the_sale(desk: Desk) -> None:
    desk.write(
        "prices.csv", "sku,date,price\nmug,2025-01-01,cheap\nmug,2025-02-01,8.50\nmug,2025-03-01,\n"
    )
    (told,) = desk.bring(PRICES)
    assert told.quarantined == 1
    assert [row["price"] for row in held(desk, "prices")] == [Decimal("8.5"), None]


def held(desk: Desk, table: str) -> list[dict[str, Any]]:
    engine = open_lake(desk.lake.folder, currency="GBP", zone="UTC")
    rows = engine.run(engine.facts().more[table]).to_pylist()
    engine.close()
    return sorted(rows, key=str)
