"""What a file seems to hold, as it is shown to a person before anything is written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rekindle.config import SourceSettings

SHOWN = 3


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
class Proposal:
    """What a file seems to hold. ``notes`` say what a person should check.

    ``preset`` names the export it was recognised as, if it was.
    """

    table: str
    columns: tuple[ProposedColumn, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    preset: str | None = None

    def as_source(self, name: str, path: str) -> SourceSettings:
        """Return the source this proposal amounts to."""
        return SourceSettings(
            name=name,
            table=self.table,
            path=path,
            columns={one.name: one.column for one in self.columns},
            **self.settings,
        )
