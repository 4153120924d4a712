"""Less often, fewer topics, not now: what a person may ask for beside "never".

The gate respects these for marketing; a transactional message is not bound by them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Exclusion(StrEnum):
    """Why the business itself does not write to someone."""

    BAD_ACTOR = "bad_actor"
    POOR_FIT = "poor_fit"
    NEGATIVE_VALUE = "negative_value"
    COOLING_OFF = "cooling_off"


@dataclass(frozen=True, slots=True)
class Preferences:
    """What one person asked for; empty by default.

    ``snoozed_until`` is "not now"; ``muted_topics`` are names that journeys carry as
    ``topic``; ``at_most_every`` is the shortest time between two marketing messages.
    """

    snoozed_until: datetime | None = None
    muted_topics: frozenset[str] = frozenset()
    at_most_every: timedelta | None = None


NO_PREFERENCES = Preferences()
