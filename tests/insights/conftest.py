"""A shop that fits in a few lines: orders as tuples, on an engine in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import ibis
import pyarrow as pa
import pytest

from rekindle.facts import CONTRACTS, Engine

Order = tuple[str | None, str, float]
OpenShop = Callable[..., Engine]
TABLES = ("customers", "orders", "order_lines", "products", "events", "quarantine", "imports")


def order_row(number: int, order: Order) -> dict[str, Any]:
    """Return the row of (customer, "2024-01-31" or with a time, gross; a refund if below 0)."""
    customer, text, amount = order
    at = datetime.fromisoformat(text).replace(tzinfo=UTC)
    nothing = Decimal(0)
    return {
        "source": "shop",
        "order_id": str(number),
        "customer_id": customer,
        "ordered_at": at,
        "ordered_on": at.date(),
        "kind": "purchase" if amount > 0 else "refund",
        "gross": max(Decimal(str(amount)), nothing),
        "discount": nothing,
        "refund": max(-Decimal(str(amount)), nothing),
        "currency": "GBP",
    }


@pytest.fixture
def order_rows() -> Callable[[list[Order]], list[dict[str, Any]]]:
    """Return the function that turns (customer, day, gross) into rows."""
    return lambda orders: [order_row(number, order) for number, order in enumerate(orders)]


@pytest.fixture
def open_shop() -> Iterator[OpenShop]:
    """Yield a function that opens a shop with these rows of its tables."""
    engines = []

    def open_with(**rows: list[dict[str, Any]]) -> Engine:
        con = ibis.duckdb.connect()
        con.raw_sql("set TimeZone = 'UTC'")
        for table in TABLES:
            schema = CONTRACTS[table].schema.to_pyarrow()
            con.create_table(table, pa.Table.from_pylist(rows.get(table, []), schema=schema))
        engines.append(Engine(con, currency="GBP", zone="UTC"))
        return engines[-1]

    yield open_with
    for engine in engines:
        engine.close()
