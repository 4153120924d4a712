"""Writes rows into a table of the lake by key: what is new, and what is different.

Rows that are there already are not written again, so importing a file twice leaves the
table at its version.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

import duckdb
import pyarrow as pa

from rekindle.facts.contracts import Contract
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
