"""Writes rows into a table of the lake by key: what is new, and what is different.

Rows that are there already are not written again, so importing a file twice leaves the
table at its version, also where another file of the source tells the same rows otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from hashlib import blake2b
from importlib.metadata import version
from types import MappingProxyType
from typing import NamedTuple

import duckdb
import pyarrow as pa

from rekindle.facts.casting import Rules
from rekindle.facts.contracts import IMPORTS, ORDER_LINES, ORDERS, Contract
from rekindle.facts.lake import (
    Change,
    Lake,
    create_view,
    create_view_of_files,
    find_files_of,
)
from rekindle.facts.sql import literal, quoted

BATCH_ROWS = 262_144
NO_STAMPS: Mapping[str, str] = MappingProxyType({})


class Written(NamedTuple):
    """How many rows an upsert added, and how many it changed."""

    added: int
    changed: int


def upsert(
    con: duckdb.DuckDBPyConnection,
    change: Change,
    contract: Contract,
    query: str,
    *,
    stamps: Mapping[str, str] = NO_STAMPS,
    is_whole: bool = False,
) -> Written:
    """Write the rows of ``query``, whose keys are unique, that the table lacks or differ.

    Of what the contract ``covers``, rows that the query no longer holds are deleted; where it
    ``is_whole``, all rows of its sources that it does not hold are.
    ``stamps`` are columns that a row gets when it is written, in SQL over the fresh row
    ``f`` and the one held so far ``t``; they make no difference of their own.
    """
    given = [quoted(column.name) for column in contract.columns if column.name not in stamps]
    names = ", ".join(given)
    is_first = contract.table not in change.versions
    create_view(con, change, contract)
    if is_first:
        rows = _read(con, _build_stamped(contract, f"({query})", contract.table, stamps))
        return Written(change.append(contract.table, rows), 0)
    con.execute(f"create or replace temp table fresh as select {names} from ({query})")
    keys = ", ".join(contract.key)
    every = ", ".join(quoted(column.name) for column in contract.columns)
    # The table is read once, and of it only the rows whose keys come in again.
    con.execute(
        "create or replace temp table held as "
        f"select {every} from {contract.table} semi join fresh using ({keys})"
    )
    con.execute(
        "create or replace temp table unlike as "
        f"select {names} from fresh except select {names} from held"
    )
    stamped = _build_stamped(contract, "unlike", "held", stamps)
    con.execute(f"create or replace temp table different as {stamped}")
    con.execute(
        "create or replace temp table known as "
        f"select distinct {keys} from held semi join different using ({keys})"
    )
    con.execute(f"create or replace temp table gone as {_build_gone(contract, is_whole=is_whole)}")
    changed = _count(con, "known")
    added = _count(con, "different") - changed
    if changed or _count(con, "gone"):
        replace_rows(con, change, contract, put="different", gone="gone")
    elif added:
        change.append(contract.table, _read(con, f"select {every} from different"))
    return Written(added, changed)


class Repeats:
    """The files of one source that say what they said when they were imported last.

    Exports overlap, and of what stands in two of them the later file's word counts. Written one
    after the other at every import, that word would be news each time, and what it says without
    a date would happen anew. So a file that says nothing new adds what the lake lacks, unless a
    file before it has just said something else.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, change: Change) -> None:
        self._con, self._change = con, change
        self._are_several = self._is_news = False
        self.said: str | None = None

    def begin(self, *, are_several: bool) -> None:
        """Begin with a source; of one file nothing needs to be remembered."""
        self._are_several, self._is_news = are_several, bool(self._change.notes)
        self.said = None
        if are_several:
            self._con.execute("create or replace temp table timed (order_id varchar, worth double)")

    def count_merged(self, contract: Contract) -> int:
        """Return how many orders of the file, numbered by time, take the place of another's.

        What an earlier file has at that time of that customer comes to something else: it is a
        correction, or an order of its own that nothing tells apart from this one.
        """
        if not self._are_several:
            return 0
        con, is_lines = self._con, contract is ORDER_LINES
        orders = (
            "select order_id, (bought + rest)::double as worth from folded"
            if is_lines
            else "select order_id, gross::double as worth from checked"
        )
        con.execute(f"create or replace temp table timed_now as {orders}")
        ((count,),) = con.execute(
            "select count(*) from timed_now n join timed t using (order_id) "
            "where n.worth is distinct from t.worth"
        ).fetchall()
        con.execute("delete from timed where order_id in (select order_id from timed_now)")
        con.execute("insert into timed from timed_now")
        return int(count)

    def leave_out(
        self, contract: Contract, file: str, rules: Rules, given: Collection[str]
    ) -> None:
        """Leave out of ``checked`` what the lake holds, if the file says what it said before.

        ``said`` is then what it says, to be remembered of it; None where it need not be.
        """
        self.said = None
        if not self._are_several:
            return
        con, source = self._con, rules.source.name
        self.said = _tell_said(con, rules, given)
        create_view(con, self._change, IMPORTS)
        before = con.execute(
            "select said from imports where source = ? and file = ?", [source, file]
        ).fetchall()
        self._is_news |= before != [(self.said,)]
        if self._is_news:  # and the files after it have their say
            return
        held = ORDERS if contract is ORDER_LINES else contract
        create_view(con, self._change, held)
        keys = ", ".join(key for key in held.covers or held.key if key != "source")
        own = f"where source = {literal(source)}" if "source" in held.key else ""
        for table in ("checked", "folded") if contract is ORDER_LINES else ("checked",):
            con.execute(
                f"delete from {table} where ({keys}) in (select ({keys}) from {held.table} {own})"
            )


def _tell_said(con: duckdb.DuckDBPyConnection, rules: Rules, given: Collection[str]) -> str:
    """Return what tells whether ``checked`` says the same, read by the same rules."""
    ((count, told),) = con.execute(
        "select count(*), sum(hash(*columns(*))::hugeint) from checked"
    ).fetchall()
    read_by = f"{version('rekindle')} {sorted(given)} {rules!r}"
    return f"{count}-{told or 0}-{blake2b(read_by.encode(), digest_size=8).hexdigest()}"


def write_rows(
    lake: Lake, contract: Contract, rows: pa.Table, *, source: str, oldest: datetime
) -> Written:
    """Upsert rows that were worked out here, in the shape of a contract, in one change.

    Rows of ``source`` that were known before ``oldest`` are deleted.

    Raises:
        BusyError: an import is running.
        LakeError: the lake cannot be written.
    """
    with lake.change() as change, duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        con.register("worked_out", rows)
        written = upsert(con, change, contract, "select * from worked_out")
        # The view is of before these rows, which are newer.
        is_old = f"source = {literal(source)} and {contract.known_at} < "
        at = f"timestamp with time zone {literal(oldest.isoformat())}"
        if con.execute(f"select 1 from {contract.table} where {is_old}{at} limit 1").fetchall():
            change.delete(contract.table, f"{is_old}{literal(oldest.isoformat())}")
        return written


def _build_stamped(contract: Contract, rows: str, held: str, stamps: Mapping[str, str]) -> str:
    columns = ", ".join(
        f"{stamps.get(column.name, 'f.' + quoted(column.name))} as {quoted(column.name)}"
        for column in contract.columns
    )
    if not stamps:
        return f"select {columns} from {rows} f"
    same = " and ".join(f"t.{key} = f.{key}" for key in contract.key)
    return f"select {columns} from {rows} f left join {held} t on {same}"


def append_rows(
    con: duckdb.DuckDBPyConnection, change: Change, contract: Contract, query: str
) -> None:
    """Write the rows of ``query`` to a table that is only added to; none leaves it as it is."""
    con.execute(f"create or replace temp table fresh as {query}")
    if _count(con, "fresh"):
        change.append(contract.table, _read(con, "select * from fresh"))


def replace_rows(
    con: duckdb.DuckDBPyConnection, change: Change, contract: Contract, *, put: str, gone: str
) -> None:
    """Write the rows of ``put`` in place of those of their keys, and take out those of ``gone``.

    Only files with such rows are read and written anew. What an export corrects came in lately,
    so of a large table they are few. Delta's own merge takes four times as long: it joins the
    texts of every column, where of most rows only the keys are of interest.
    """
    keys = ", ".join(contract.key)
    con.execute(
        "create or replace temp table replaced as "
        f"select {keys} from {put} union select {keys} from {gone}"
    )
    files = find_files_of(con, change, contract, "replaced")
    create_view_of_files(con, "rewritten", contract, files)
    every = ", ".join(quoted(column.name) for column in contract.columns)
    rows = _read(
        con,
        f"select {every} from rewritten anti join replaced using ({keys}) "
        f"union all select {every} from {put}",
    )
    change.replace(contract.table, files, rows)


def _build_gone(contract: Contract, *, is_whole: bool) -> str:
    if not contract.covers and not is_whole:
        return f"select * from {contract.table} limit 0"
    of = () if is_whole else contract.covers
    keys, covered = ", ".join(contract.key), ", ".join(("source", *of))
    return (
        f"select t.* from {contract.table} t anti join fresh using ({keys}) "
        f"semi join (select distinct {covered} from fresh) using ({covered})"
    )


def _read(con: duckdb.DuckDBPyConnection, query: str) -> pa.RecordBatchReader:
    return con.execute(query).to_arrow_reader(BATCH_ROWS)


def _count(con: duckdb.DuckDBPyConnection, relation: str) -> int:
    return int(con.execute(f"select count(*) from {relation}").fetchall()[0][0])
