"""Hot, set-based SQL is kept in the files of ``sql/`` and called by name from here.

A batch of any size travels as one JSON parameter, so the number of statements does
not depend on the number of people and no database's variable limit is in reach.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache, lru_cache, partial
from importlib.resources import files
from typing import Any

from django.db import DatabaseError, connections, transaction
from pydantic_core import to_json

from rekindle.errors import BusyError, LedgerError

Row = tuple[Any, ...]
BAR = "|"

errors_met: Counter[str] = Counter()
"""How often a database refused something or was away, and nobody has written it down yet."""

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_MOMENT = re.compile(r"MOMENT\(([\w.]+|\w+\([^)]*\))\)")
_INSTANT = re.compile(r"INSTANT\(([\w.]+|\w+\([^)]*\))\)")
_ROWS = re.compile(r"ROWS\(([^)]*)\) AS (\w+)")
_POSTGRESQL_LINE = re.compile(r"^\s*-- postgresql: (.*)$", re.MULTILINE)
_POSTGRESQL_TYPES = {"instant": "timestamptz"}


@contextmanager
def ledger_errors() -> Iterator[None]:
    """Speak of what the database refuses, or that it went away, as a LedgerError.

    Where another process has kept a SQLite ledger for too long, it is a BusyError.
    """
    try:
        yield
    except DatabaseError as error:
        errors_met["database"] += 1
        if "database is locked" in str(error):
            raise BusyError(
                "another process has been writing to the ledger for too long; wait until it "
                "is done, or move the ledger to PostgreSQL where many write at once"
            ) from error
        raise LedgerError(f"the ledger refused: {str(error).strip()}") from error


@contextmanager
def ledger_transaction(alias: str) -> Iterator[None]:
    """Do all of what follows or none of it; within another transaction, as a part of it.

    Raises:
        LedgerError: the database refused, or went away.
    """
    with ledger_errors(), transaction.atomic(using=alias, savepoint=False):
        yield


def fetch(alias: str, query: str, *parameters: str | int) -> list[Row]:
    """Return the rows of a named query."""
    connection = connections[alias]
    with ledger_errors(), connection.cursor() as cursor:
        cursor.execute(statement(query, connection.vendor), parameters)
        rows: list[Row] = cursor.fetchall()
        return rows


def execute(alias: str, query: str, *parameters: str | int) -> int:
    """Run a named query and return how many rows it wrote."""
    connection = connections[alias]
    with ledger_errors(), connection.cursor() as cursor:
        cursor.execute(statement(query, connection.vendor), parameters)
        return int(cursor.rowcount)


def rows_of(values: Iterable[Sequence[object]]) -> str:
    """Return the parameter that stands for a ``ROWS(...)`` table, its columns in order."""
    return to_json(list(values)).decode()


def fresh_text_of(at: datetime) -> str:
    """Return what ``text_of`` returns, for instants of which hardly two are the same."""
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return utc.isoformat(" ")[:-6]


@lru_cache(maxsize=8192)
def text_of(at: datetime) -> str:
    """Return an instant as both databases read it: UTC, as every session's zone is.

    Remembered, because a batch repeats few instants and writing one out is dear.
    """
    return fresh_text_of(at)


def text_or_none(at: datetime | None) -> str | None:
    """Return what ``text_of`` returns, or None for None."""
    return None if at is None else text_of(at)


def barred(names: Collection[str]) -> str:
    """Return names as one column keeps several, each between bars: ``|a|b|``."""
    return f"{BAR}{BAR.join(names)}{BAR}" if names else ""


def names_of(text: str) -> list[str]:
    """Return the names of which ``barred`` made this text."""
    return [name for name in text.split(BAR) if name]


@lru_cache(maxsize=8192)
def instant_of(text: str) -> datetime:
    """Return what ``INSTANT(column)`` read, aware, in UTC; remembered like ``text_of``."""
    return datetime.fromisoformat(text)


@lru_cache(maxsize=8192)
def moment_of(text: str) -> datetime:
    """Return what ``MOMENT(column)`` read in SQLite, which keeps UTC and does not say so."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def instant_or_none(text: str | None) -> datetime | None:
    """Return what ``instant_of`` returns, or None for None."""
    return None if text is None else instant_of(text)


@cache
def statement(query: str, vendor: str) -> str:
    """Return a named query as this kind of database reads it."""
    return written(_lines_for(vendor, _statements()[query]), vendor)


def written(text: str, vendor: str) -> str:
    """Return a statement in the language of ``sql/`` as this kind of database reads it."""
    # An expression, though one that changes nothing: a bare column would be taken apart.
    text = _MOMENT.sub(r"\1" if vendor == "postgresql" else r"(+\1)", text)
    text = _INSTANT.sub(r"\1::text" if vendor == "postgresql" else r"(\1 || '+00:00')", text)
    return _ROWS.sub(partial(_rows_table, vendor=vendor), text)


@cache
def _statements() -> dict[str, str]:
    folder = files(__package__).joinpath("sql")
    texts = (file.read_text(encoding="utf-8") for file in folder.iterdir())
    parts = [part for text in texts for part in _NAME.split(text)[1:]]
    named = dict(zip(parts[::2], parts[1::2], strict=True))
    assert 2 * len(named) == len(parts), "two statements have one name"
    return named


def _lines_for(vendor: str, text: str) -> str:
    text = _POSTGRESQL_LINE.sub(r"\1" if vendor == "postgresql" else "", text)
    return "\n".join(line for line in text.splitlines() if not line.startswith("--"))


def _rows_table(match: re.Match[str], *, vendor: str) -> str:
    columns = [column.split() for column in match[1].split(",")]
    if vendor == "postgresql":
        picks = [
            f"(value->>{place})::{_POSTGRESQL_TYPES.get(kind, kind)} AS {name}"
            for place, (name, kind) in enumerate(columns)
        ]
        source = "jsonb_array_elements(%s::jsonb) AS value"
    else:
        picks = [
            f"json_extract(value, '$[{place}]') AS {name}"
            for place, (name, _) in enumerate(columns)
        ]
        source = "json_each(%s)"
    return f"(SELECT {', '.join(picks)} FROM {source}) AS {match[2]}"
