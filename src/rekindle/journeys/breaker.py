"""The circuit breaker: when a journey does so much harm that it has to pause itself.

One bad window may be chance, so a rate has to pass its limit in two in a row, each with
enough messages to mean something.
"""

from __future__ import annotations

from dataclasses import dataclass

from rekindle.config import BreakerSettings

RATES = ("complaints", "bounces", "opt_outs")


@dataclass(frozen=True, slots=True)
class Window:
    """What a journey's messages met with in one stretch of time.

    ``messages`` counts those a provider took, and those whose address it refused.
    """

    messages: int = 0
    complaints: int = 0
    bounces: int = 0
    opt_outs: int = 0


@dataclass(frozen=True, slots=True)
class Trip:
    """Which rate passed its ``limit``, and what it was in both windows (shares)."""

    rate: str
    newer: float
    older: float
    limit: float


def decide_trip(newer: Window, older: Window, settings: BreakerSettings) -> Trip | None:
    """Return the first rate above its limit in both windows, or None.

    A window of fewer than ``settings.minimum`` messages says nothing; a limit of None
    is never passed.
    """
    if min(newer.messages, older.messages) < settings.minimum:
        return None
    for rate in RATES:
        limit: float | None = getattr(settings, rate)
        now, before = (getattr(window, rate) / window.messages for window in (newer, older))
        if limit is not None and min(now, before) > limit:
            return Trip(rate, newer=now, older=before, limit=limit)
    return None
