"""Finds the header of a table that other lines may stand before, and what parts its fields.

Exports begin with titles, the day they were made, or ``sep=;``. The header is the line
that holds the words looked for: those a source names, else those that tables go by.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from typing import NamedTuple

from rekindle.errors import SourceError
from rekindle.facts.contracts import CONTRACTS
from rekindle.facts.sources.discovery import discover_presets
from rekindle.facts.sources.presets.model import plain

DELIMITERS = (",", ";", "\t", "|")
HEAD_RECORDS = 50
ENOUGH_WORDS = 2
NUMBER = re.compile(r"^[-+]?\d[\d.,]*$")
DECLARED = re.compile(r'^\ufeff?"?sep=(.)"?\s*$', re.IGNORECASE)


class Layout(NamedTuple):
    """What parts the fields, and on which line (from 1) the header begins."""

    mark: str
    line: int
    header: tuple[str, ...]


class _Record(NamedTuple):
    line: int
    fields: list[str]


def find_layout(head: str, wanted: Collection[str], mark: str | None = None) -> Layout:
    """Return the layout of the text whose beginning is ``head``.

    ``wanted`` are the columns a source names, if it does; ``mark`` is the delimiter where
    that is given. The text holds at least one word.
    """
    first = head.splitlines()[0]
    if declared := DECLARED.match(first):
        mark = mark or declared[1]
    words = frozenset(map(plain, wanted)) or known_words()
    marks = (mark,) if mark else DELIMITERS
    found = {each: read for each in marks if (read := _read(head, each))}
    if not found:
        raise SourceError("its first line is too long for a header")
    places = {each: find_header([r.fields for r in found[each]], words) for each in found}
    best = max(found, key=lambda each: _fit(found[each], places[each], words))
    header = found[best][places[best]]
    return Layout(best, header.line, tuple(header.fields))


@cache
def known_words() -> frozenset[str]:
    """Return the headers that tables and recognised exports go by."""
    words = {
        word
        for contract in CONTRACTS.values()
        for c in contract.inputs
        for word in (c.name, *c.words)
    }
    for preset in discover_presets():
        words.update(preset.header, preset.words)
    return frozenset(map(plain, words)) - {""}


def find_header(rows: Sequence[Sequence[str]], words: Collection[str]) -> int:
    """Return the place of the header among the first rows of a table.

    It is the first row with most of the words; where no row has two of them, the first one
    that is not much narrower than most rows are.
    """
    hits = [count_words(row, words) for row in rows]
    most = max(hits, default=0)
    if most >= min(ENOUGH_WORDS, len(words)):
        return hits.index(most)
    widths = Counter(_width(row) for row in rows if _width(row) > 1)
    if not widths:
        return 0
    usual = max(widths, key=lambda width: (widths[width], width))
    wide = [place for place, row in enumerate(rows) if 2 * _width(row) >= max(usual, 3)]
    return next((place for place in wide if _is_words(rows[place])), wide[0])


def count_words(row: Iterable[str], words: Collection[str]) -> int:
    """Return how many of the words a row holds."""
    return len({plain(cell) for cell in row} & set(words))


def _until_too_long(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error:  # no header has a field that long: another delimiter parts it
        return


def column_names(header: Sequence[str]) -> list[str]:
    """Return the header's words, each once: blanks numbered, repetitions marked."""
    names: list[str] = []
    taken: set[str] = set()
    for place, word in enumerate(header, 1):
        name = plain = word.strip() or f"column_{place}"
        count = 1
        while name.lower() in taken:
            count += 1
            name = f"{plain}_{count}"
        taken.add(name.lower())
        names.append(name)
    return names


def tell_repeated(header: Sequence[str]) -> list[str]:
    """Return what to say of words that stand in a header more than once: the first is read."""
    pairs = zip((word.strip() for word in header), column_names(header), strict=True)
    return [
        f"its header has {word!r} more than once; the first is read by that name, another as "
        f"{name!r}"
        for word, name in pairs
        if word and name != word
    ]


def _width(row: Sequence[str]) -> int:
    """Return how many fields a row has up to its last that is not blank."""
    return max((place for place, cell in enumerate(row, 1) if cell.strip()), default=0)


def _is_words(row: Sequence[str]) -> bool:
    """Return whether no cell of a row is a number, as of a header."""
    return not any(NUMBER.match(cell.strip()) for cell in row)


def _fit(records: Sequence[_Record], place: int, words: Collection[str]) -> tuple[float, ...]:
    header = records[place].fields
    # The last record may have been cut off in the middle.
    below = [r.fields for r in records[place + 1 :]]
    whole = below[:-1] or below
    agreeing = sum(1 for fields in whole if len(fields) == len(header))
    share = agreeing / len(whole) if whole else 1.0
    hits = count_words(header, words)
    is_header = _is_words(header) and len(header) > 1
    return (hits >= ENOUGH_WORDS) * hits, is_header, share * (len(header) > 1), len(header)


def _read(head: str, mark: str) -> list[_Record]:
    return list(islice(_records(head, mark), HEAD_RECORDS))


def _records(head: str, mark: str) -> Iterator[_Record]:
    """Yield the records that hold anything, but for one that declares the delimiter."""
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=mark)
    begins = 1
    for fields in _until_too_long(reader):
        is_text = any(cell.strip() for cell in fields)
        if is_text and not (begins == 1 and DECLARED.match(mark.join(fields))):
            yield _Record(begins, fields)
        begins = reader.line_num + 1
