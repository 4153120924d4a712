"""Takes times that have not come yet for what they are: a clock that is a little fast.

Nothing happens after it is read, so such a row counts from the import that first read it,
and goes on counting from there when it is read again. What lies further ahead than clocks
and zones can explain is no time at all, and is refused before.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import duckdb

from rekindle.facts.contracts import CONTRACTS, ORDER_LINES, ORDERS, Contract
from rekindle.facts.lake import Change, create_view
from rekindle.facts.sql import literal, quoted

INSTANTS = ("ordered_at", "occurred_at", "created_at")


def clamp(
    con: duckdb.DuckDBPyConnection,
    change: Change,
    contract: Contract,
    given: Collection[str],
    *,
    source: str,
    now: datetime,
) -> None:
    """Let the instants of ``checked`` that lie ahead count from when they were first read."""
    present = f"timestamptz {literal(now.isoformat())}"
    for name in {column.name for column in contract.inputs} & set(given) & set(INSTANTS):
        if not con.execute(f"from checked where {name} > {present} limit 1").fetchall():
            continue
        held = ORDERS if contract is ORDER_LINES else CONTRACTS[contract.table]
        create_view(con, change, held)
        keys = [key for key in held.key if key != "source"]
        same = " and ".join(f"h.{quoted(key)} = c.{quoted(key)}" for key in keys)
        con.execute(
            f"""
            create or replace temp table checked as
            select c.* replace (case when c.{name} <= {present} then c.{name}
                when h.{name} <= {present} then h.{name} else {present} end as {name})
            from checked c left join {held.table} h
                on {same} and h.source = {literal(source)}"""
        )
