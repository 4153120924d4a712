"""The only reader of the time.

Every other module is given a clock or an instant, so that history can be replayed
and tests move time instead of sleeping. An architecture test keeps it that way.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """What a room asks when it needs the present."""

    def now(self) -> datetime:
        """Return the present instant, UTC-aware."""


def end_of_day(at: datetime, zone: ZoneInfo) -> datetime:
    """Return the last instant of the local day that ``at`` falls on."""
    tomorrow = at.astimezone(zone).date() + timedelta(days=1)
    start = datetime.combine(tomorrow, datetime.min.time(), zone).astimezone(UTC)
    return start - timedelta(microseconds=1)


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present instant, UTC-aware."""
        return datetime.now(UTC)


class MovableClock:
    """A clock that stands still until it is moved; for replay and tests."""

    def __init__(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError("a clock needs an aware instant")
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        """Return the instant the clock was last moved to."""
        return self._at

    def move(self, by: timedelta) -> None:
        """Move the clock forward (or back) by a duration."""
        self._at += by

    def set(self, at: datetime) -> None:
        """Move the clock to an aware instant."""
        self._at = at.astimezone(UTC)


def pause(seconds: float, *, is_stopping: Callable[[], bool] = lambda: False) -> None:
    """Wait in short naps until ``seconds`` passed or ``is_stopping`` says so."""
    end = time.monotonic() + seconds
    while not is_stopping() and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, 0.2))


def stopwatch() -> Callable[[], float]:
    """Return a function that tells the seconds since this call."""
    start = time.monotonic()
    return lambda: time.monotonic() - start
