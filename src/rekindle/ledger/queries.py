"""Hot, set-based SQL is kept in ``sql/ledger.sql`` and called by name from here.

A batch of any size travels as one JSON parameter, so the number of statements does
not depend on the number of people and no database's variable limit is in reach.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from django.db import DatabaseError, connections, transaction

from rekindle.errors import LedgerError

Row = tuple[Any, ...]

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_ROWS = re.compile(r"ROWS\(([^)]*)\) AS (\w+)")
_POSTGRESQL_LINE = re.compile(r"^\s*-- postgresql: (.*)$", re.MULTILINE)
_POSTGRESQL_TYPES = {"instant": "timestamptz"}


@contextmanager
def ledger_transaction(alias: str) -> Iterator[None]:
    """Do all of what follows or none of it.

    Raises:
        LedgerError: the database refused, or went away.
    """
    try:
        with transaction.atomic(using=alias):
            yield
    except DatabaseError as error:
        raise LedgerError(f"the ledger refused: {str(error).strip()}") from error


def fetch(alias: str, query: str, *parameters: str | int) -> list[Row]:
    """Return the rows of a named query."""
    with connections[alias].cursor() as cursor:
        cursor.execute(_statement(query, connections[alias].vendor), parameters)
        rows: list[Row] = cursor.fetchall()
        return rows


def execute(alias: str, query: str, *parameters: str | int) -> int:
    """Run a named query and return how many rows it wrote."""
    with connections[alias].cursor() as cursor:
        cursor.execute(_statement(query, connections[alias].vendor), parameters)
        return int(cursor.rowcount)


def rows_of(columns: Sequence[str], values: Sequence[Sequence[object]]) -> str:
    """Return the parameter that stands for a ``ROWS(...)`` table."""
    return json.dumps([dict(zip(columns, row, strict=True)) for row in values])


def text_of(at: datetime) -> str:
    """Return an instant as both databases read it: UTC, as every session's zone is."""
    return at.astimezone(UTC).isoformat(" ")[:-6]


def text_or_none(at: datetime | None) -> str | None:
    """Return what ``text_of`` returns, or None for None."""
    return None if at is None else text_of(at)


def instant_of(value: datetime | str) -> datetime:
    """Return a stored instant, as a column or (SQLite) an expression gives it."""
    return (datetime.fromisoformat(value) if isinstance(value, str) else value).replace(tzinfo=UTC)


def instant_or_none(value: datetime | str | None) -> datetime | None:
    """Return what ``instant_of`` returns, or None for None."""
    return None if value is None else instant_of(value)


@cache
def _statement(query: str, vendor: str) -> str:
    return _ROWS.sub(_ROWS_IN[vendor], _lines_for(vendor, _statements()[query]))


@cache
def _statements() -> dict[str, str]:
    text = files(__package__).joinpath("sql", "ledger.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _lines_for(vendor: str, text: str) -> str:
    text = _POSTGRESQL_LINE.sub(r"\1" if vendor == "postgresql" else "", text)
    return "\n".join(line for line in text.splitlines() if not line.startswith("--"))


def _columns(declared: str) -> list[tuple[str, str]]:
    pairs = [column.split() for column in declared.split(",")]
    return [(name, kind) for name, kind in pairs]


def _sqlite_rows(match: re.Match[str]) -> str:
    picks = ", ".join(
        f"json_extract(value, '$.{name}') AS {name}" for name, _ in _columns(match[1])
    )
    return f"(SELECT {picks} FROM json_each(%s)) AS {match[2]}"


def _postgresql_rows(match: re.Match[str]) -> str:
    typed = ", ".join(
        f"{name} {_POSTGRESQL_TYPES.get(kind, kind)}" for name, kind in _columns(match[1])
    )
    return f"json_to_recordset(%s::json) AS {match[2]}({typed})"


_ROWS_IN = {"sqlite": _sqlite_rows, "postgresql": _postgresql_rows}
