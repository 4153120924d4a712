"""A queue ordered by instant that a tick reads without scanning what waits.

Replay lets most of a day's touches fall due at the same instant, so items are kept
in one bucket an instant; adding, removing and reading cost the same at any size.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Hashable, Iterator
from datetime import datetime
from typing import Generic, TypeVar

Item = TypeVar("Item", bound=Hashable)


class DueQueue(Generic[Item]):
    """Items by the instant they fall due; each is in it at most once."""

    def __init__(self) -> None:
        self._instants: list[datetime] = []
        self._buckets: dict[datetime, dict[Item, None]] = {}

    def add(self, item: Item, at: datetime) -> None:
        """Let ``item`` fall due at ``at``."""
        bucket = self._buckets.get(at)
        if bucket is None:
            bucket = self._buckets[at] = {}
            insort(self._instants, at)
        bucket[item] = None

    def remove(self, item: Item, at: datetime) -> None:
        """Take out ``item``, which was added for ``at``."""
        bucket = self._buckets[at]
        del bucket[item]
        if not bucket:
            del self._buckets[at]
            del self._instants[bisect_left(self._instants, at)]

    def first(self) -> datetime | None:
        """Return when the next item falls due, None if there is none."""
        return self._instants[0] if self._instants else None

    def until(self, at: datetime) -> Iterator[Item]:
        """Yield what falls due by ``at``, oldest first, then in the order added.

        The queue must not change while this is read.
        """
        for instant in self._instants:
            if instant > at:
                return
            yield from self._buckets[instant]
