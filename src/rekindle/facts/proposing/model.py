"""What a file seems to hold, as it is shown to a person before anything is written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rekindle.config import SourceSettings

SHOWN = 3


@dataclass(frozen=True, slots=True)
class Answers:
    """What a person said of a file; it stands against every guess.

    ``columns`` maps a column of the table to one of the file, or to nothing where it is to
    be left out; ``formats`` says how a column is written. ``prefix`` is what an answer about this
    file begins with, where there are others.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    formats: Mapping[str, str] = field(default_factory=dict)
    table: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class ProposedColumn:
    """One column taken for something, with a few of its values and the reason."""

    name: str
    column: str
    samples: tuple[str, ...]
    why: str


def shown(values: Sequence[str]) -> tuple[str, ...]:
    """Return the first few values, without the apostrophe that spreadsheets put before numbers."""
    return tuple(re.sub(r"^'(?=[\d+])", "", value) for value in values[:SHOWN])


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A column of the file that is not read, and why."""

    column: str
    why: str
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a file seems to hold.

    ``notes`` are what a person should know; those of them in ``doubts`` may be wrong about the
    money, the dates or a permission. ``left_out`` names every column that is not
    read. ``preset`` names the export it was recognised as, and ``currency`` what its
    amounts are in, where the file says so.
    """

    table: str
    columns: tuple[ProposedColumn, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    preset: str | None = None
    doubts: frozenset[str] = frozenset()
    left_out: tuple[LeftOut, ...] = ()
    currency: str | None = None

    def as_source(self, name: str, path: str) -> SourceSettings:
        """Return the source this proposal amounts to."""
        return SourceSettings(
            name=name,
            table=self.table,
            path=path,
            columns={one.name: one.column for one in self.columns},
            **self.settings,
        )
