"""What a file seems to hold, as it is shown to a person before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rekindle.config import SourceSettings


@dataclass(frozen=True, slots=True)
class ProposedColumn:
    """One column taken for something, with a few of its values and the reason."""

    name: str
    column: str
    samples: tuple[str, ...]
    why: str


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
