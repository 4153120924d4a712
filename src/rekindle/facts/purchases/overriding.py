"""Keeps what was reported of an order from files that say nothing new of it.

A source may tell of one order in two ways: in its files, and by what it reports as it
happens. The newest statement counts. A row that stands in a file as it stood there before
the report is none: what it says was said before. Once it says something else, that counts,
and what was reported before it does not.
"""

from __future__ import annotations

from datetime import datetime

import duckdb

from rekindle.config import SourceSettings
from rekindle.facts.contracts import (
    IMPORTS,
    ORDER_LINES,
    ORDERS,
    OVERRIDDEN_ORDERS,
    STAMPS,
    Contract,
)
from rekindle.facts.lake import Change, create_view
from rekindle.facts.sql import literal, quoted
from rekindle.facts.upserting import append_rows, replace_rows

REPORTED = "state/intake/"
"""Where reports wait for an import, from the workspace's folder; an import of them names it."""
TOLD = ", ".join(quoted(c.name) for c in ORDERS.columns if c.name not in STAMPS)
NOW_TOLD = {ORDERS.table: "now_told", ORDER_LINES.table: "lines_now_told"}
"""Where the rows of a file wait that are of orders reported on, for the last of its files."""


def is_reported(source: SourceSettings) -> bool:
    """Return whether its rows are what machines reported, on their way to the lake."""
    return source.path is not None and source.path.startswith(REPORTED)


class Overriding:
    """The orders of one import that a report told otherwise than a file of their source."""

    def __init__(self, con: duckdb.DuckDBPyConnection, change: Change, *, now: datetime) -> None:
        self._con, self._change, self._now = con, change, now
        self._is_none = True

    def begin(self, source: SourceSettings) -> None:
        """Look for what files of ``source`` said of orders that were reported on since."""
        con, self._is_none = self._con, True
        if is_reported(source) or OVERRIDDEN_ORDERS.table not in self._change.versions:
            return
        create_view(con, self._change, OVERRIDDEN_ORDERS)
        con.execute(
            f"create or replace temp table overridden as select {TOLD} "
            f"from {OVERRIDDEN_ORDERS.table} where source = {literal(source.name)}"
        )
        self._is_none = not _has_rows(con, "overridden")
        if self._is_none:
            return
        for contract in (ORDERS, ORDER_LINES):
            create_view(con, self._change, contract)
            con.execute(
                f"create or replace temp table {NOW_TOLD[contract.table]} as "
                f"select * from {contract.table} limit 0"
            )

    def keep_reported(self, contract: Contract, query: str) -> str:
        """Return ``query``, the rows of a file, without those of orders that were reported on.

        They wait for ``settle``, for a later file of the source may say something else. The
        view ``counted`` is of those rows of ``checked`` that do not.
        """
        con = self._con
        count_all = "create or replace temp view counted as from checked"
        if self._is_none:
            con.execute(count_all)
            return query
        con.execute(f"{count_all} anti join overridden using (order_id)")
        waiting = NOW_TOLD[contract.table]
        con.execute(f"create or replace temp table of_file as {query}")
        con.execute(f"delete from {waiting} where order_id in (select order_id from of_file)")
        con.execute(
            f"insert into {waiting} by name select * from of_file semi join overridden "
            "using (order_id)"
        )
        return "select * from of_file anti join overridden using (order_id)"

    def settle(self) -> tuple[str, str] | None:
        """Return the queries of the orders, and of their lines, that files tell otherwise now.

        None if there are none. What they say counts from now on, against what was reported
        until now.
        """
        if self._is_none:
            return None
        con = self._con
        con.execute(
            "create or replace temp table told_anew as "
            f"select {TOLD}, timestamptz {literal(self._now.isoformat())} as counts_since "
            f"from (select {TOLD} from now_told except select {TOLD} from overridden)"
        )
        if not _has_rows(con, "told_anew"):
            return None
        replace_rows(con, self._change, OVERRIDDEN_ORDERS, put="told_anew", gone="told_anew")
        lines = ", ".join(quoted(column.name) for column in ORDER_LINES.columns)
        of_these = "semi join told_anew using (order_id)"
        return (
            f"select {TOLD} from told_anew",
            f"select {lines} from lines_now_told {of_these}",
        )

    def note(self, source: str, rows: str, changed: str) -> None:
        """Keep what files said of the orders that a report of ``source`` just changed.

        ``rows`` is SQL for them as the lake held them, ``changed`` holds their keys.
        """
        con = self._con
        if not self._has_files(source):
            return
        create_view(con, self._change, OVERRIDDEN_ORDERS)
        keys = ", ".join(ORDERS.key)
        append_rows(
            con,
            self._change,
            OVERRIDDEN_ORDERS,
            f"select {TOLD}, null::timestamptz as counts_since "
            f"from {rows} semi join {changed} using ({keys}) "
            f"anti join {OVERRIDDEN_ORDERS.table} using ({keys})",
        )

    def _has_files(self, source: str) -> bool:
        create_view(self._con, self._change, IMPORTS)
        query = f"""
            select 1 from imports where source = ? and not starts_with(file, {literal(REPORTED)})
                and "table" in ({literal(ORDERS.table)}, {literal(ORDER_LINES.table)}) limit 1"""
        return bool(self._con.execute(query, [source]).fetchall())


def _has_rows(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    return bool(con.execute(f"select 1 from {table} limit 1").fetchall())
