"""What an order gives back in parts is known part by part."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from rekindle.config import Config, LifecycleSettings
from rekindle.facts import import_sources, open_lake
from rekindle.intake import KeptEvent, fold_order
from rekindle.profiles import build_profiles

DAY = timedelta(days=1)
START = datetime(2026, 1, 5, 12, tzinfo=UTC)
LATE = START + 90 * DAY
LINES = {"order_id": "id", "customer_id": "who", "ordered_at": "at", "product_id": "p",
         "quantity": "n", "unit_price": "each"}  # fmt: skip
ORDERS = {"order_id": "id", "customer_id": "who", "ordered_at": "at", "gross": "total",
          "refund": "back", "refunded_at": "back_at", "refunds": "parts"}  # fmt: skip


def day(number: float) -> str:
    return (START + number * DAY).isoformat()


def bring(base: Path, table: str, columns: dict[str, str], *rows: str) -> None:
    (base / "f.csv").write_text("\n".join([",".join(columns.values()), *rows]) + "\n")
    source = {"name": "shop", "table": table, "path": "f.csv", "columns": columns}
    workspace = {"timezone": "UTC", "currency": "GBP"}
    config = Config.model_validate({"workspace": workspace, "sources": [source]})
    import_sources(config, base, now=LATE)


def refunds(base: Path) -> Callable[[float], Decimal]:
    """Return a function that says what had been given back to ann on a day."""
    engine = open_lake(base / "state/lake", currency="GBP", zone="UTC")

    def asked(number: float) -> Decimal:
        table = build_profiles(engine.facts(), START + number * DAY, LifecycleSettings())
        (row,) = engine.run(table.select("refund_value")).to_pylist()
        return Decimal(row["refund_value"])

    return asked


@pytest.mark.long
def test_dated_lines_of_an_order(tmp_path: Path) -> None:
    bring(
        tmp_path, "order_lines", LINES,
        f"1,ann,{day(0)},x,4,10", f"1,ann,{day(9)},x,-1,10", f"1,ann,{day(20)},x,-2,10",
    )  # fmt: skip
    known = refunds(tmp_path)
    assert [known(n) for n in (5, 9, 10, 20, 21)] == [0, 0, 10, 10, 30]
    # A file that knows better of the parts takes their place.
    bring(
        tmp_path, "order_lines", LINES,
        f"1,ann,{day(0)},x,4,10", f"1,ann,{day(7)},x,-1,10", f"1,ann,{day(20)},x,-2,10",
    )  # fmt: skip
    known = refunds(tmp_path)
    assert [known(n) for n in (7, 8, 10, 20, 21)] == [0, 10, 10, 10, 30]


def test_dated_lines_of_a_refund_with_a_number_of_its_own(tmp_path: Path) -> None:
    bring(
        tmp_path, "order_lines", LINES,
        f"1,ann,{day(-9)},x,4,10", f"2,ann,{day(0)},x,-1,10", f"2,ann,{day(20)},x,-2,10",
    )  # fmt: skip
    known = refunds(tmp_path)
    assert [known(n) for n in (0, 1, 20, 21)] == [0, 10, 10, 30]


@pytest.mark.long
def test_an_order_that_says_more_at_the_next_import(tmp_path: Path) -> None:
    for back, given_on in ((10, 9), (10, 9), (25, 20), (30, 40)):
        bring(tmp_path, "orders", {k: v for k, v in ORDERS.items() if k != "refunds"},
              f"1,ann,{day(0)},40,{back},{day(given_on)}")  # fmt: skip
    known = refunds(tmp_path)
    assert [known(n) for n in (9, 10, 21, 41)] == [0, 10, 25, 30]


@pytest.mark.long
def test_events_of_one_order(tmp_path: Path) -> None:
    def event(name: str, number: float, **content: float) -> KeptEvent:
        return KeptEvent(name, "ann", START + number * DAY, content)

    told = [event("order_refunded", 9, total=10), event("order_refunded", 20, total=15)]
    for number, events in enumerate(([event("order_completed", 0, revenue=40), *told], told)):
        row = fold_order("1", events)
        assert row is not None
        base = tmp_path / str(number)
        base.mkdir()
        cells = (row.get(name, "") for name in ("order_id", "customer_id", "ordered_at", "gross"))
        more = (row.get(name, "") for name in ("refund", "refunded_at", "refunds"))
        bring(base, "orders", ORDERS, ",".join(map(str, (*cells, *more))))
        known = refunds(base)
        assert [known(n) for n in (9.5, 20, 21)] == [10, 10, 25]
