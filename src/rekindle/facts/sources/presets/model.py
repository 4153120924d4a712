"""What a source preset is: one kind of export, told by its header."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class SourcePreset:
    """An export of a known system, and which of its columns is which.

    ``header`` are columns that are all there in such a file and hardly in any other.
    ``columns`` says, by column of the table's contract, what the export calls it; what a
    file lacks of them is left out. ``settings`` are further keys of its ``[[sources]]``
    block. Case, spaces and punctuation of headers do not matter.
    """

    name: str
    table: str
    header: tuple[str, ...]
    columns: Mapping[str, str]
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def fits(self, header: Collection[str]) -> bool:
        """Return whether a file with these columns is such an export."""
        return {plain(word) for word in self.header} <= {plain(name) for name in header}

    def chosen(self, header: Collection[str]) -> dict[str, str]:
        """Return contract column → the file's own column, for those the file has."""
        actual = {plain(name): name for name in reversed(list(header))}
        return {
            column: actual[plain(word)]
            for column, word in self.columns.items()
            if plain(word) in actual
        }


def plain(name: str) -> str:
    """Return a header as it is compared: small letters and digits alone."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
