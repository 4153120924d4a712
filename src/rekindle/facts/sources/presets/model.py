"""What a source preset is: one kind of export, told by its header."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class SourcePreset:
    """An export of a known system, and which of its columns is which.

    ``header`` are columns that are all there in such a file and hardly in any other,
    ``without`` some that are not. ``columns`` says, by column of the table's contract, what
    the export calls it, or the names it may go by, of which the first that holds something
    is taken; what a file lacks of them is left out. ``A + B`` are two columns read as one,
    and ``every row: yes`` is what the file says by being that file. ``settings`` are further
    keys of its ``[[sources]]`` block. Case, spaces and punctuation of headers do not matter.
    """

    name: str
    table: str
    header: tuple[str, ...]
    columns: Mapping[str, str | tuple[str, ...]]
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """Return every name of a column the preset speaks of."""
        return tuple(word for words in self.columns.values() for word in _several(words))

    def fits(self, header: Collection[str]) -> bool:
        """Return whether a file with these columns is such an export."""
        found = {plain(name) for name in header}
        asked, barred = ({plain(word) for word in words} for words in (self.header, self.without))
        return asked <= found and not barred & found

    def chosen(self, header: Collection[str]) -> dict[str, str]:
        """Return contract column → the file's own column, for those the file has.

        Where ``header`` has the values of each column, one that has some comes first.
        """
        actual = {plain(name): name for name in reversed(list(header))}
        found = {}
        for column, words in self.columns.items():
            names = [actual[plain(word)] for word in _several(words) if plain(word) in actual]
            if isinstance(header, Mapping):
                names.sort(key=lambda name: not header[name])
            if names:
                found[column] = names[0]
        return found


def plain(name: str) -> str:
    """Return a header as it is compared: small letters and digits alone."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _several(words: str | tuple[str, ...]) -> tuple[str, ...]:
    return (words,) if isinstance(words, str) else words
