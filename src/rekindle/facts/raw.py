"""An opened source before it is understood: raw columns, their rows and their lines.

Every way of reading gives this one shape, and everything after reading takes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

# The column of line numbers; named so that no export has one like it.
LINE = "_rekindle_line"


class Reject(NamedTuple):
    """A line that could not even be split into fields, and why."""

    line: int
    text: str
    message: str


@dataclass(frozen=True, slots=True)
class Raw:
    """One opened file or query.

    ``relation`` is SQL that yields the raw columns and ``LINE``; ``columns`` maps each
    raw column to its DuckDB type; ``is_json`` means columns are paths into ``json``.
    """

    name: str
    relation: str
    columns: Mapping[str, str]
    is_json: bool = False
    rejects: tuple[Reject, ...] = ()


def quoted(name: str) -> str:
    """Return ``name`` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return ``text`` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def first_line(error: object) -> str:
    """Return the first line of an error's message, or its kind where it has none."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
