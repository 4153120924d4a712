"""Which versions of the facts passes have looked at, and what the facts say of purchases.

Imports are numbered and every order carries the numbers of those that changed it; here is
kept when a pass first had each number before it. So it can be said whether an order was
known when somebody entered, by the clock of the passes alone.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from rekindle.ledger.bulk import chunks
from rekindle.ledger.queries import (
    execute,
    fetch,
    instant_of,
    instant_or_none,
    ledger_transaction,
    rows_of,
    text_of,
)

ALWAYS = datetime(1, 1, 1, tzinfo=UTC)


Watched = tuple[str, str, str | None]
"""A person, when they entered a journey, and their newest purchase known then, as it is kept.

There may be a million, of whom few are looked at: only their instants are read.
"""


def read_watched(one: Watched) -> tuple[str, datetime, datetime | None]:
    """Return who is watched with their instants, of which the second may be unknown."""
    person, entered_at, last_order_at = one
    return person, instant_of(entered_at), instant_or_none(last_order_at)


class Correction(NamedTuple):
    """What the facts say of an order now; ``is_void`` where it is no purchase.

    ``person`` is whose order it is, by the id the facts know; None of an anonymous sale.
    """

    source: str
    order_id: str
    person: str | None
    at: datetime
    is_void: bool


@dataclass(frozen=True, slots=True)
class Sightings:
    """When passes first saw the facts' versions. ``now`` is the pass that looks."""

    numbers: Sequence[int]
    seen_at: Sequence[datetime]
    now: datetime

    @property
    def newest(self) -> int:
        """Return the newest version that was ever looked at, 0 before the first."""
        return self.numbers[-1] if self.numbers else 0

    @property
    def pairs(self) -> list[tuple[int, datetime]]:
        """Return each version with when it was first looked at, oldest first."""
        return list(zip(self.numbers, self.seen_at, strict=True))

    def first_seen(self, number: int | None) -> datetime | None:
        """Return when a pass first looked at what import ``number`` brought; None for none."""
        if number is None:
            return None
        if number <= 0:
            return ALWAYS
        place = bisect_left(self.numbers, number)
        return self.seen_at[place] if place < len(self.numbers) else self.now


class Observations:
    """The observations of one ledger."""

    def __init__(self, alias: str) -> None:
        self._alias = alias

    def load(self, now: datetime) -> Sightings:
        """Return every version of the facts that was looked at."""
        rows = fetch(self._alias, "observations")
        return Sightings([n for n, _ in rows], [instant_of(at) for _, at in rows], now)

    def watched(self) -> list[Watched]:
        """Return whose returns still end or stop something, with what was known at entry."""
        return fetch(self._alias, "watched")

    def purchases(self, most: int) -> list[tuple[str, str]]:
        """Return source and order of the purchases on record, no more than ``most``."""
        return fetch(self._alias, "orders_on_record", most)

    def note(self, number: int, at: datetime, corrections: Iterable[Correction]) -> None:
        """Let purchases follow the facts, and remember that these were looked at."""
        with ledger_transaction(self._alias):
            for chunk in chunks(corrections):
                rows = sorted(
                    (c.source, c.order_id, c.person or "", text_of(c.at), c.is_void) for c in chunk
                )
                fetch(self._alias, "hold_orders", rows_of(row[:2] for row in rows))
                execute(self._alias, "correct_orders", rows_of(rows))
            execute(self._alias, "note_observation", rows_of([(number, text_of(at))]))
