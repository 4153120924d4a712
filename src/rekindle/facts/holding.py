"""What the lake holds of some people's contact cards, and of some orders.

A report that gives one field of a card has to be written as a whole row, so whoever
makes that row asks for the rest here. And what was only reported of somebody who was
erased is taken out here: the ledger has forgotten it, and it stands nowhere else.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa

from rekindle.facts.contracts import BASKETS, CONTRACTS, CUSTOMERS, HANDLES, ORDERS, Contract
from rekindle.facts.lake import Change, Lake, create_view
from rekindle.facts.sql import literal

TABLES = (CUSTOMERS.table, HANDLES.table, BASKETS.table)
OWN_SCORES = "rekindle"
"""The source of the scores that are worked out here; a model of one's own has another."""
FOUND_HERE = ("scores", "uplifts")
"""The tables in which stands what was worked out here of people."""
LISTED = 500


def held_cards(lake: Lake, people: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return the cards of those of ``people`` who have one, as JSON values by column.

    Ids are the sources' own, not yet resolved to persons. Empty before any import.

    Raises:
        LakeError: the lake cannot be read.
    """
    names = [column.name for column in CUSTOMERS.columns if column.is_input]
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        create_view(con, lake, CUSTOMERS)
        con.register("wanted", pa.table({"customer_id": pa.array(sorted(people), pa.string())}))
        rows = con.execute(
            f"select {', '.join(names)} from customers semi join wanted using (customer_id)"
        ).to_arrow_table()
    return {row["customer_id"]: _as_json(row) for row in rows.to_pylist()}


def held_orders(lake: Lake, source: str, orders: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return those of a source's ``orders`` that the lake holds, as JSON values by column.

    Raises:
        LakeError: the lake cannot be read.
    """
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        create_view(con, lake, ORDERS)
        con.register("wanted", pa.table({"order_id": pa.array(sorted(orders), pa.string())}))
        rows = con.execute(
            "select * from orders semi join wanted using (order_id) where source = ?", [source]
        ).to_arrow_table()
    return {row["order_id"]: _as_json(row) for row in rows.to_pylist()}


def _as_json(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, date | datetime) else _as_text(value)
        for name, value in row.items()
        if value is not None
    }


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


def forget_reported(lake: Lake, sources: Collection[str], people: Collection[str]) -> int:
    """Remove the cards and baskets that these sources gave of these people, and our scores of them.

    Returns how many were removed. Ids are the sources' own. What the lake held before stays
    in its old versions for as long as those are kept (``facts.keep``).

    Raises:
        BusyError: an import is running.
        LakeError: the lake cannot be read or written.
    """
    given = dict.fromkeys(TABLES, sources) | dict.fromkeys(FOUND_HERE, (OWN_SCORES,))
    if not people or not any(
        _find(lake, CONTRACTS[table], by, people) for table, by in given.items()
    ):
        return 0
    removed = 0
    with lake.change() as change:
        for table, by in given.items():
            found = _find(change, CONTRACTS[table], by, people)
            removed += len(found)
            for start in range(0, len(found), LISTED):
                ids = ", ".join(literal(one) for one in found[start : start + LISTED])
                names = ", ".join(literal(one) for one in sorted(by))
                change.delete(table, f"source in ({names}) and customer_id in ({ids})")
    return removed


def _find(
    lake: Lake | Change, contract: Contract, sources: Collection[str], people: Collection[str]
) -> list[str]:
    with duckdb.connect() as con:
        create_view(con, lake, contract)
        con.register("wanted", pa.table({"customer_id": pa.array(sorted(people), pa.string())}))
        con.register("told", pa.table({"source": pa.array(sorted(sources), pa.string())}))
        rows = con.execute(
            f"select distinct customer_id from {contract.table} semi join wanted using "
            "(customer_id) semi join told using (source) order by 1"
        ).fetchall()
    return [one for (one,) in rows]
