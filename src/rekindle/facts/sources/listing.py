"""Reads a file of another kind than facts by the readers of facts: a list for the ledger.

Whatever the format, its rows come back with their lines and typed values; a cell that is
given and cannot be read refuses its row, which is told of with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from rekindle.config import SourceSettings
from rekindle.errors import SourceError
from rekindle.facts.casting import Rules, build_text, build_value
from rekindle.facts.contracts import CUSTOMERS, Column
from rekindle.facts.sources.opening import open_file
from rekindle.facts.sources.raw import LINE, Raw, Reject
from rekindle.facts.sql import first_line, quoted

READ_ROWS = 10_000
LONGEST_CELL = 2_000


@dataclass(frozen=True, slots=True)
class ListedRow:
    """One row: its line, its values by column, and why it cannot be taken ("" if it can)."""

    line: int
    values: Mapping[str, Any]
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """The rows of a file; ``taken`` says which column of it stands for which of ours."""

    rows: Sequence[ListedRow]
    taken: Mapping[str, str]
    left_out: tuple[str, ...]


def read_listing(
    path: Path, columns: Sequence[Column], *, chosen: Mapping[str, str], zone: str
) -> Listing:
    """Return the rows of a file in these columns.

    A column is found by its name or one of its words, or where ``chosen`` says. Times
    without a zone are of ``zone``.

    Raises:
        SourceError: no such file, none of the columns in it, or not readable.
    """
    if not path.is_file():
        raise SourceError(f"{path}: no such file")
    source = SourceSettings(name="list", table=CUSTOMERS.table, path=str(path))
    con = duckdb.connect()
    try:
        con.execute("set TimeZone = 'UTC'")
        raw = open_file(con, path, source, path.parent)
        taken = _choose(raw, columns, chosen)
        if not taken:
            known = ", ".join(column.name for column in columns)
            raise SourceError(f"{path}: none of its columns is one of {known}")
        rows = list(_rows(con, raw, columns, taken, Rules(source, "XXX", zone)))
    except duckdb.Error as error:
        raise SourceError(f"{path} cannot be read: {first_line(error)}") from error
    finally:
        con.close()
    rows += [_refused(reject) for reject in raw.rejects]
    left_out = tuple(name for name in raw.columns if name not in taken.values())
    return Listing(sorted(rows, key=lambda row: row.line), taken, left_out)


def _choose(raw: Raw, columns: Sequence[Column], chosen: Mapping[str, str]) -> dict[str, str]:
    """Return which column of the file stands for which of ours."""
    there = {_plain(name): name for name in reversed(list(raw.columns))}
    found: dict[str, str] = {}
    for column in columns:
        wanted = chosen.get(column.name)
        words = (wanted,) if wanted is not None else (column.name, *column.words)
        actual = next((there[_plain(word)] for word in words if _plain(word) in there), None)
        if actual is None and wanted is not None:
            raise SourceError(
                f"{raw.name}: no column {wanted!r} (for {column.name}); the file has: "
                f"{', '.join(list(raw.columns)[:12])}"
            )
        if actual is not None and actual not in found.values():
            found[column.name] = actual
    return found


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _rows(
    con: duckdb.DuckDBPyConnection,
    raw: Raw,
    columns: Sequence[Column],
    taken: Mapping[str, str],
    rules: Rules,
) -> Iterator[ListedRow]:
    ours = [column for column in columns if column.name in taken]
    values = (
        f"{build_value(raw, taken[column.name], column, rules)}, "
        f"{build_text(raw, taken[column.name])}"
        for column in ours
    )
    asked = con.execute(f"select {quoted(LINE)}, {', '.join(values)} from ({raw.relation})")
    while batch := asked.fetchmany(READ_ROWS):
        for line, *cells in batch:
            yield _row(line, ours, cells)


def _row(line: int, columns: Sequence[Column], cells: Sequence[Any]) -> ListedRow:
    values, trouble = {}, ""
    for column, value, text in zip(columns, cells[::2], cells[1::2], strict=True):
        if value is None and text is not None and not trouble:
            trouble = f"{column.name} {str(text)[:60]!r} is no {column.kind}"
        if isinstance(value, str) and (len(value) > LONGEST_CELL or "\0" in value):
            trouble = trouble or f"{column.name} is longer than {LONGEST_CELL} characters"
        values[column.name] = value[:LONGEST_CELL] if isinstance(value, str) else value
    row = ListedRow(line, values)
    return replace(row, trouble=trouble) if trouble else row


def _refused(reject: Reject) -> ListedRow:
    return ListedRow(reject.line, {}, f"{reject.message}: {reject.text[:60]!r}")
