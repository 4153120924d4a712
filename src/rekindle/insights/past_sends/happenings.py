"""What happened to people, as sorted arrays that are asked about millions of moments at once.

Instants are whole milliseconds since 1970 (UTC) in 64 bits; people are their places in a list.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]

NEVER = -1
DAY = 86_400_000
QUARTER = 900_000
"""Clocks change on quarters of an hour, in every zone since 1972."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Span:
    """From the first instant to the end of everything asked; ``size`` in milliseconds."""

    begin: int
    size: int

    def place(self, person: Whole, at: Whole) -> Whole:
        """Return one number for a person and an instant, in the order of both."""
        return person * self.size + np.clip(at - self.begin, 0, self.size - 1)


class Happenings:
    """Something that happened to people, each at an instant, with an amount where it has one."""

    def __init__(
        self, person: Whole, at: Whole, span: Span, amount: NDArray[np.float64] | None = None
    ) -> None:
        places = span.place(person, at)
        order = np.argsort(places, kind="stable")
        self._span = span
        self._places = places[order]
        amounts = np.zeros(len(order)) if amount is None else amount[order]
        self._sums = np.concatenate([[0.0], np.cumsum(amounts)])

    def count(self, person: Whole, begin: Whole, end: Whole) -> Whole:
        """Return how often it happened to each from ``begin`` until before ``end``."""
        low, high = self._between(person, begin, end)
        return high - low

    def total(self, person: Whole, begin: Whole, end: Whole) -> NDArray[np.float64]:
        """Return the amounts of it from ``begin`` until before ``end``."""
        low, high = self._between(person, begin, end)
        found: NDArray[np.float64] = self._sums[high] - self._sums[low]
        return found

    def _between(self, person: Whole, begin: Whole, end: Whole) -> tuple[Whole, Whole]:
        found = [np.searchsorted(self._places, self._span.place(person, at)) for at in (begin, end)]
        return found[0], found[1]


class PurchasesThen:
    """Purchases as they stood at any moment: one that was undone later had been one until then."""

    def __init__(self, person: Whole, at: Whole, ended: Whole, span: Span) -> None:
        order = np.argsort(span.place(person, at), kind="stable")
        self._person, self._at, self._ended = person[order], at[order], ended[order]
        self._places, self._span = span.place(self._person, self._at), span

    def last_before(self, person: Whole, at: Whole) -> Whole:
        """Return the newest purchase before each instant that was one then; NEVER for none."""
        if not len(self._at):
            return np.full(len(person), NEVER, dtype=np.int64)
        place = np.searchsorted(self._places, self._span.place(person, at)) - 1
        while True:
            is_theirs = (place >= 0) & (self._person[place] == person)
            is_over = is_theirs & (self._ended[place] <= at)
            if not is_over.any():
                return np.where(is_theirs, self._at[place], NEVER)
            place = np.where(is_over, place - 1, place)


class Words:
    """What people said of being written to, of which the newest counts; of equal time the no."""

    def __init__(self, person: Whole, at: Whole, is_no: Flags, span: Span) -> None:
        places = span.place(person, at)
        order = np.lexsort((is_no, places))
        self._places, self._person, self._is_no = places[order], person[order], is_no[order]
        self._span = span

    def is_refused(self, person: Whole, at: Whole) -> Flags:
        """Return whether the newest word of each, at its instant, was a no."""
        place = np.searchsorted(self._places, self._span.place(person, at), side="right") - 1
        found: Flags = (place >= 0) & (self._person[place] == person) & self._is_no[place]
        return found


def to_instants(column: pa.ChunkedArray, missing: int) -> Whole:
    """Return a column of instants in milliseconds, ``missing`` for those that are empty."""
    micros = pc.cast(column, pa.timestamp("us", tz="UTC")).cast(pa.int64())
    found: Whole = pc.fill_null(micros, missing * 1000).to_numpy() // 1000
    return found


def to_instant(at: datetime) -> int:
    """Return an instant in milliseconds."""
    return (at - EPOCH) // timedelta(milliseconds=1)


def to_local(at: Whole, zone: str) -> Whole:
    """Return what a clock of the zone shows at each instant, as if it were of 1970's UTC."""
    quarters, places = np.unique(at // QUARTER, return_inverse=True)
    here = ZoneInfo(zone)
    ahead = [
        (EPOCH + timedelta(milliseconds=int(one) * QUARTER)).astimezone(here).utcoffset()
        for one in quarters
    ]
    shifts = np.array([one // timedelta(milliseconds=1) if one else 0 for one in ahead], np.int64)
    return at + shifts[places] if len(at) else at
