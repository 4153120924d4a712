"""Rows by the thousand, written and read the quickest way each database has.

On PostgreSQL that is its binary protocol, past Django's cursor and its conversions; on
SQLite one prepared statement, run in the library's own loop. Most rows of a batch are alike
but for a column or two, so they are given as groups: what is alike is converted once, and
SQLite is given it once.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import connections
from pydantic_core import to_json

from rekindle.ledger.queries import (
    Row,
    fresh_text_of,
    ledger_errors,
    moment_of,
    statement,
    text_of,
)

if TYPE_CHECKING:
    import psycopg

POSTGRESQL = "postgresql"
CHUNK = 10_000
"""Rows a statement carries: enough to be fast, few enough to keep memory flat."""

BLOCK = 50
"""Rows that SQLite inserts at a step: a third quicker than one by one."""

LARGE = 100
"""Rows of a group from which a statement of its own costs less than its rows one by one."""

Groups = Mapping[Row, Sequence[Row]]
"""Rows by what those of a group share: its last columns. Each has its first for itself."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Target:
    """A table and the columns written to it, each with its PostgreSQL type."""

    table: str
    columns: tuple[tuple[str, str], ...]

    @property
    def names(self) -> str:
        """Return the columns as a statement lists them."""
        return ", ".join(name for name, _ in self.columns)


def chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """Yield ``values`` as lists of at most ``CHUNK``."""
    rest = iter(values)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


@contextmanager
def without_collector() -> Iterator[None]:
    """Keep the cycle collector from walking a batch again and again while it is built.

    The values of a batch form no cycles and go when it does; looking for some took a
    third of its time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def is_postgresql(alias: str) -> bool:
    """Return whether the ledger is on PostgreSQL."""
    return connections[alias].vendor == POSTGRESQL


def read_rows(alias: str, query: str, *parameters: str | int) -> list[Row]:
    """Return the rows of a named query; MOMENT columns are for ``moment_reader``."""
    text = statement(query, connections[alias].vendor)
    if not is_postgresql(alias):
        with ledger_errors(), connections[alias].cursor() as cursor:
            cursor.execute(text, parameters)
            rows: list[Row] = cursor.fetchall()
            return rows
    with _raw_cursor(alias) as raw:
        raw.execute(text.encode(), parameters, binary=True, prepare=True)
        return raw.fetchall()


def moment_reader(alias: str) -> Callable[[Any], datetime]:
    """Return what makes an instant of a MOMENT column."""
    return _same if is_postgresql(alias) else moment_of


def moment_writer(alias: str, *, is_fresh: bool = False) -> Callable[[datetime], object]:
    """Return what makes of an instant the value to write; ``is_fresh``: each is another."""
    if is_postgresql(alias):
        return _same
    return fresh_text_of if is_fresh else text_of


def insert_rows(alias: str, target: Target, rows: Sequence[Row]) -> None:
    """Append rows to a table, none of which may be there."""
    if not rows:
        return
    if is_postgresql(alias):
        with _raw_cursor(alias) as raw:
            _copy(raw, target, rows)
        return
    whole = len(rows) - len(rows) % BLOCK
    blocks = [tuple(chain(*rows[start : start + BLOCK])) for start in range(0, whole, BLOCK)]
    with ledger_errors(), connections[alias].cursor() as cursor:
        if blocks:
            cursor.executemany(_insertion(target, BLOCK), blocks)
        if whole < len(rows):
            cursor.executemany(_insertion(target, 1), rows[whole:])


def insert_groups(alias: str, target: Target, groups: Groups) -> None:
    """Append rows to a table, none of which may be there."""
    if is_postgresql(alias):
        insert_rows(alias, target, _rows_of(groups))
        return
    single: list[Row] = []
    with ledger_errors(), connections[alias].cursor() as cursor:
        for shared, rows in groups.items():
            whole = len(rows) - len(rows) % BLOCK
            blocks = [
                (*shared, *chain(*rows[start : start + BLOCK])) for start in range(0, whole, BLOCK)
            ]
            if blocks:
                cursor.executemany(_group_insertion(target, len(shared)), blocks)
            single += [(*row, *shared) for row in rows[whole:]]
    insert_rows(alias, target, single)


def _rows_of(groups: Groups) -> list[Row]:
    return [(*row, *shared) for shared, rows in groups.items() for row in rows]


@cache
def _group_insertion(target: Target, shared: int) -> str:
    """Return what inserts a block of rows, given what they share and then the rest of each."""
    own = len(target.columns) - shared
    marks = iter(range(shared + 1, shared + own * BLOCK + 1))
    rows = ", ".join(f"({', '.join(f'?{next(marks)}' for _ in range(own))})" for _ in range(BLOCK))
    names = ", ".join(name for name, _ in target.columns[:own])
    values = ", ".join(f"?{number + 1}" for number in range(shared))
    return (
        f"WITH one ({names}) AS (VALUES {rows}) "
        f"INSERT INTO {target.table} ({target.names}) SELECT {names}, {values} FROM one"
    )


@cache
def _insertion(target: Target, count: int) -> str:
    # SQLite's own marks: looking for Django's takes it 0.16 ms at every call.
    row = f"({', '.join('?' * len(target.columns))})"
    return f"INSERT INTO {target.table} ({target.names}) VALUES {', '.join([row] * count)}"


def update_groups(alias: str, query: str, target: Target, groups: Groups) -> int:
    """Run a named update for each row; return how many it changed.

    There are two by that name for each kind of database, which ends their names. One of
    ``query`` itself is for single rows: on PostgreSQL they are put into the temporary table
    ``target`` for it; on SQLite they are its parameters, in the order of the columns. The
    other, of a large group, is given what its rows share and the first column of each.
    """
    vendor = connections[alias].vendor
    text = statement(f"{query}_alike_{vendor}", vendor)
    large = {shared: rows for shared, rows in groups.items() if len(rows) >= LARGE}
    changed = 0
    for shared, rows in large.items():
        own = [row[0] for row in rows]
        if vendor == POSTGRESQL:
            with _raw_cursor(alias) as raw:
                changed += raw.execute(text.encode(), (*shared, own), prepare=True).rowcount
        else:
            with ledger_errors(), connections[alias].cursor() as cursor:
                cursor.execute(text, (*shared, to_json(own).decode()))
                changed += int(cursor.rowcount)
    rest = {shared: rows for shared, rows in groups.items() if shared not in large}
    return changed + _update_rows(alias, f"{query}_{vendor}", target, _rows_of(rest))


def _update_rows(alias: str, query: str, target: Target, rows: Sequence[Row]) -> int:
    if not rows:
        return 0
    text = statement(query, connections[alias].vendor)
    if not is_postgresql(alias):
        with ledger_errors(), connections[alias].cursor() as cursor:
            cursor.executemany(text, rows)
            return int(cursor.rowcount)
    columns = ", ".join(f"{name} {kind}" for name, kind in target.columns)
    with _raw_cursor(alias) as raw:
        raw.execute(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {target.table} ({columns}) "
            "ON COMMIT DELETE ROWS".encode()
        )
        _copy(raw, target, rows)
        changed = raw.execute(text.encode(), prepare=True).rowcount
        if connections[alias].savepoint_ids:  # the commit is not near: there may be more
            raw.execute(f"DELETE FROM {target.table}".encode())
        return changed


def _copy(raw: psycopg.Cursor[Row], target: Target, rows: Iterable[Row]) -> None:
    names = f"COPY {target.table} ({target.names}) FROM STDIN (FORMAT BINARY)"
    with raw.copy(names.encode()) as copy:
        copy.set_types([kind for _, kind in target.columns])
        write = copy.write_row
        for row in rows:
            write(row)


@contextmanager
def _raw_cursor(alias: str) -> Iterator[psycopg.Cursor[Row]]:
    import psycopg

    connection = connections[alias]
    connection.ensure_connection()
    with (
        ledger_errors(),
        connection.wrap_database_errors,
        psycopg.Cursor(connection.connection) as cursor,
    ):
        yield cursor


def _same(value: Any) -> Any:
    return value
