"""An audience for whoever tests what comes after it: who enters is said in advance.

Neither profiles nor facts stand behind it, so an engine and its book can be run by
themselves, with as many people as a test needs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime

from rekindle.journeys import Candidate, JourneyVersion


class FixedAudience:
    """The people it is given match every journey; no predicate, date or order is known."""

    def __init__(self, people: Collection[str] = ()) -> None:
        self._people = people

    def entrants(self, version: JourneyVersion, at: datetime) -> Iterator[Candidate]:
        """Yield all of them, also those who are in the journey already."""
        return (Candidate(person, None) for person in self._people)

    def matching(self, predicate: str, at: datetime, people: Collection[str]) -> set[str]:
        """Return nobody."""
        return set()

    def dates(self, column: str, at: datetime, people: Collection[str]) -> Mapping[str, date]:
        """Return no dates."""
        return {}

    def amounts(self, column: str, at: datetime, people: Collection[str]) -> Mapping[str, float]:
        """Return no amounts."""
        return {}

    def last_orders(self, at: datetime, people: Collection[str]) -> Mapping[str, datetime]:
        """Return no orders."""
        return {}
