"""An opened source before it is understood: raw columns, their rows and their lines.

Every way of reading gives this one shape, and everything after reading takes it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import duckdb

from rekindle.config import SourceSettings

# The column of line numbers; named so that no export has one like it.
LINE = "_rekindle_line"
# The type of a column within the objects of JSON, like customer.id.
PATH = "PATH"


class Reject(NamedTuple):
    """A line that could not even be split into fields, and why."""

    line: int
    text: str
    message: str


@dataclass(frozen=True, slots=True)
class Raw:
    """One opened file or query.

    ``relation`` is SQL that yields the raw columns and ``LINE``; ``columns`` maps each
    raw column to its DuckDB type; ``is_json`` means columns are paths into ``json``, and those of
    the type ``PATH`` lie within objects.
    ``may_hold_nul`` is False where no text can hold a NUL, so that nobody has to look.
    ``notes`` say what of the file was not read.
    """

    name: str
    relation: str
    columns: Mapping[str, str]
    is_json: bool = False
    rejects: tuple[Reject, ...] = ()
    may_hold_nul: bool = True
    notes: tuple[str, ...] = ()


THREE_PLACES = re.compile(r"-?\d{1,3}\.\d{3}")


def tell_number(text: str) -> str:
    """Return a number of a file that has numbers, so that its point is none between thousands."""
    return f"{text}0" if THREE_PLACES.fullmatch(text) else text


OpenFile = Callable[[duckdb.DuckDBPyConnection, Path, str, SourceSettings], Raw]


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of file: the endings it goes by (a .gz beside them), and how to open it."""

    endings: tuple[str, ...]
    open: OpenFile


def described(con: duckdb.DuckDBPyConnection, name: str, relation: str) -> Raw:
    """Return a relation, with its columns as the engine sees them."""
    columns = {r[0]: r[1] for r in con.execute(f"describe {relation}").fetchall()}
    columns.pop(LINE)
    return Raw(name, relation, columns)
