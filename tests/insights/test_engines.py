"""One set of expressions, the same figures on DuckDB and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import ibis
import pytest

from rekindle.config import LifecycleSettings
from rekindle.facts import Engine, open_warehouse
from rekindle.insights import JourneyRecord, Membership, build_audit, build_report
from rekindle.journeys import Goal, Journey
from rekindle.predictions import build_purchase_days, read_histories
from rekindle.predictions.parts import HistoryParts
from rekindle.vocabulary import Arm, SignalKind

AS_OF = datetime(2024, 7, 1, tzinfo=UTC)
TABLES = ("customers", "orders", "order_lines", "products", "events", "imports")


def world(order_rows: Any) -> dict[str, list[dict[str, Any]]]:
    """Return sixty customers who buy every 20 to 79 days, some with refunds."""
    start = datetime(2024, 1, 1, 10, tzinfo=UTC)
    orders = [
        (f"c{n}", (start + timedelta(days=(20 + n) * k)).strftime("%Y-%m-%dT%H:%M"), 10.25 + n)
        for n in range(60)
        for k in range(1 + n % 5)
    ]
    orders += [(f"c{n}", "2024-06-30T23:30", -5.5) for n in range(0, 60, 7)]
    rows = order_rows([*orders, (None, "2024-02-02", 99.99)])
    lines = [
        {"source": "shop", "order_id": row["order_id"], "line": 1, "quantity": 1}
        | {"unit_price": row["gross"], "amount": row["gross"], "category": f"k{n % 3}"}
        for n, row in enumerate(rows)
    ]
    return {"orders": rows, "order_lines": lines}


@pytest.fixture
def engines(open_shop: Any, order_rows: Any, postgres_url: str) -> Iterator[tuple[Engine, Engine]]:
    local = open_shop(**world(order_rows))
    con = ibis.connect(postgres_url)
    for table in TABLES:
        con.create_table(table, local._con.table(table).to_pyarrow(), overwrite=True)
    con.disconnect()
    remote = open_warehouse(postgres_url, currency="GBP", zone="UTC")
    yield local, remote
    remote.close()


def test_an_audit_is_the_same_on_both_engines(engines: tuple[Engine, Engine]) -> None:
    local, remote = (
        build_audit(e.facts(), e.run, as_of=AS_OF, settings=LifecycleSettings()).to_json()
        for e in engines
    )
    assert local == remote
    assert local["gap_days_by_category"] != {}


@pytest.mark.long
def test_a_report_is_the_same_on_both_engines(engines: tuple[Engine, Engine]) -> None:
    entered_at = datetime(2024, 3, 1, tzinfo=UTC)
    members = [
        Membership(f"c{n}", list(Arm)[n % 2], 0, entered_at, None, entered_at, None)
        for n in range(60)
    ]
    journey = Journey("j", "true", Goal(SignalKind.ORDER, timedelta(days=60)), ())
    record = JourneyRecord(journey, entered_at, AS_OF, 0.5, members, {}, {}, (), False)
    local, remote = (build_report(record, e.facts(), e).to_json() for e in engines)
    assert local == remote
    assert local["returned"] != {"treatment": 0, "holdout": 0}


@pytest.mark.long
def test_people_are_read_in_parts_alike_on_both_engines(engines: tuple[Engine, Engine]) -> None:
    for engine in engines:
        whole = read_histories(engine.run(build_purchase_days(engine.facts(), AS_OF)))
        parts = [*HistoryParts(engine.facts(), engine.run, AS_OF, most=17)]
        assert sorted(person for one in parts for person in one.people) == [*whole.people]
        assert len(parts) == 4
        assert sum(one.day.size for one in parts) == whole.day.size
        assert sum(one.units.sum() for one in parts) == whole.units.sum() > 0
