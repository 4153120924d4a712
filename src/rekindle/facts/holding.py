"""What the lake holds of some people's contact cards, and of some orders.

A report that gives one field of a card has to be written as a whole row, so whoever
makes that row asks for the rest here. And of somebody who was erased it is taken out
here who they were and what they did.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa

from rekindle.facts.contracts import (
    CONTRACTS,
    CUSTOMERS,
    ORDERS,
    OVERRIDDEN_ORDERS,
    QUARANTINE,
    Contract,
)
from rekindle.facts.lake import Change, Lake, create_view, shaped
from rekindle.facts.sql import literal

WRITTEN = ("cancellations",)
"""The tables with ``words`` that people wrote beside what is counted and stays."""
WROTE = "words is not null"
OWN_SCORES = "rekindle"
"""The source of the scores that are worked out here; a model of one's own has another."""
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
        con.register("wanted", _column("customer_id", people))
        rows = con.execute(
            f"select {', '.join(names)} from customers semi join wanted using (customer_id)"
        ).to_arrow_table()
    return {row["customer_id"]: _as_json(row) for row in rows.to_pylist()}


def held_orders(lake: Lake, source: str, orders: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return those of a source's ``orders`` that the lake holds, as JSON values by column.

    ``counts_since`` is there of one that a file told otherwise after it was reported on: what
    was reported before then counts no more.

    Raises:
        LakeError: the lake cannot be read.
    """
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        create_view(con, lake, ORDERS)
        create_view(con, lake, OVERRIDDEN_ORDERS)
        con.register("wanted", _column("order_id", orders))
        rows = con.execute(
            "select o.*, f.counts_since from orders o semi join wanted using (order_id) "
            "left join overridden_orders f using (source, order_id) where o.source = ?",
            [source],
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


def find_addresses(lake: Lake, people: Collection[str]) -> list[tuple[str, str, str]]:
    """Return the e-mail addresses and phones on these people's cards: id, kind and address.

    Ids are the sources' own, and so are the spellings.

    Raises:
        LakeError: the lake cannot be read.
    """
    with duckdb.connect() as con:
        create_view(con, lake, CUSTOMERS)
        con.register("wanted", _column("customer_id", people))
        return con.execute(
            "with cards as (select * from customers semi join wanted using (customer_id)) "
            "select customer_id, 'email', email from cards where email is not null union "
            "select customer_id, 'phone', phone from cards where phone is not null order by all"
        ).fetchall()


def forget_people(
    lake: Lake, people: Collection[str], addresses: Collection[str], *, sources: Collection[str]
) -> int:
    """Remove who these people are and what they did, but not what they ordered and paid.

    That they cancelled stays, and why by the form; what they wrote beside it goes.
    ``addresses`` are theirs: what other systems sent goes by them. Of rows that were set aside
    those go that one of ``sources`` reported; whose a file's row is, only the file says. Returns
    of how many people something was removed, counted by table. Ids are the sources' own. What
    the lake held before stays in its old versions for as long as those are kept (``facts.keep``).

    Raises:
        BusyError: an import is running.
        LakeError: the lake cannot be read or written.
    """
    names = {*people, *addresses}
    if not names or not (
        any(_find(lake, CONTRACTS[table], names) for table in _personal())
        or any(_find(lake, CONTRACTS[table], names, WROTE) for table in WRITTEN)
        or _split_quarantine(lake, sources, people)[1]
    ):
        return 0
    removed = 0
    with lake.change() as change:
        for table in _personal():
            found = _find(change, CONTRACTS[table], names)
            removed += len(found)
            for start in range(0, len(found), LISTED):
                ids = ", ".join(literal(one) for one in found[start : start + LISTED])
                change.delete(table, f"customer_id in ({ids})")
        for table in WRITTEN:
            if found := _find(change, CONTRACTS[table], names, WROTE):
                removed += len(found)
                change.overwrite(table, _without_words(change, CONTRACTS[table], found))
        others, theirs = _split_quarantine(change, sources, people)
        if others is not None:
            change.overwrite(QUARANTINE.table, shaped(others, QUARANTINE))
    return removed + theirs


def _split_quarantine(
    lake: Lake | Change, sources: Collection[str], people: Collection[str]
) -> tuple[pa.Table | None, int]:
    """Return what is in quarantine but these people's rows, and of how many of them it has some.

    Where it has none of theirs, the others' are not read: every import asks.
    """
    with duckdb.connect() as con:
        create_view(con, lake, QUARANTINE)
        con.register("wanted", _column("customer_id", people))
        con.register("told", _column("source", sources))
        con.execute(
            "create view split as select *, coalesce(who in (from wanted), false) as is_theirs "
            "from (select *, case when source in (from told) and json_valid(record) "
            "then json_extract_string(record, '$.customer_id') end as who from quarantine)"
        )
        (found,) = con.sql("select count(distinct who) from split where is_theirs").fetchall()
        if not found[0]:
            return None, 0
        # An import writes them in this order.
        others = con.execute(
            "select * exclude (who, is_theirs) from split where not is_theirs "
            "order by source, file, line, reason"
        ).to_arrow_table()
    return others, int(found[0])


def _without_words(change: Change, contract: Contract, people: Collection[str]) -> pa.Table:
    """Return all rows of a table, without what these people wrote."""
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        create_view(con, change, contract)
        con.register("wanted", _column("who", people))
        rows = con.execute(
            "select * replace (case when customer_id in (from wanted) then null else words end "
            f"as words) from {contract.table}"
        ).to_arrow_table()
    return shaped(rows, contract)


def _personal() -> list[str]:
    """Return the tables that say who people are, what they did, and what was worked out of them."""
    return [contract.table for contract in CONTRACTS.values() if contract.is_personal]


def _find(
    lake: Lake | Change, contract: Contract, people: Collection[str], condition: str = "true"
) -> list[str]:
    with duckdb.connect() as con:
        create_view(con, lake, contract)
        con.register("wanted", _column("customer_id", people))
        rows = con.execute(
            f"select distinct customer_id from {contract.table} semi join wanted using "
            f"(customer_id) where {condition} order by 1"
        ).fetchall()
    return [one for (one,) in rows]


def _column(name: str, values: Collection[str]) -> pa.Table:
    return pa.table({name: pa.array(sorted(values), pa.string())})
