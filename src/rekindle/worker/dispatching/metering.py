"""How much may leave now: the provider's throttle and the warm-up of the sending domain.

What is not granted stays in the queue, so that nothing is held by a worker that may not
send it. What was granted and not used is given back.
"""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from rekindle.config import ChannelSettings, WarmUpSettings
from rekindle.ledger import Meters

BURST = timedelta(seconds=5)
MINUTE = timedelta(minutes=1)
# A limit beyond this many times the first day's is none.
MOST_GROWTH = 1e9


class Pace(Protocol):
    """Says how many messages may leave."""

    again_in: timedelta | None

    def take(self, count: int, at: datetime) -> int:
        """Return how many of ``count`` may leave now."""

    def give_back(self, count: int) -> None:
        """Take back what was granted for messages that were not tried."""

    def give_back_tried(self, count: int) -> None:
        """Take back what was granted for messages that a provider did not take."""


class Unmetered:
    """A pace that grants everything."""

    again_in: timedelta | None = None

    def take(self, count: int, at: datetime) -> int:
        """Return ``count``."""
        return count

    def give_back(self, count: int) -> None:
        """Do nothing."""

    def give_back_tried(self, count: int) -> None:
        """Do nothing."""


class MeteredPace:
    """The pace of one outlet: at most ``per_minute``, and the warm-up's number a local day.

    ``again_in`` says when to ask again after the throttle, or None after the warm-up,
    granted nothing.
    """

    def __init__(
        self, meters: Meters, settings: ChannelSettings, *, channel: str, zone: ZoneInfo
    ) -> None:
        self._meters, self._settings, self._zone = meters, settings, zone
        self._throttle = f"{channel}/{settings.outlet}"
        self._ramp = f"warm-up/{settings.sender or self._throttle}"
        self._day: date | None = None
        self.again_in: timedelta | None = None

    def take(self, count: int, at: datetime) -> int:
        """Return how many of ``count`` both the throttle and the warm-up grant."""
        granted, per_minute = count, self._settings.per_minute
        self.again_in = None
        if per_minute is not None:
            granted = self._meters.take(self._throttle, count, at, per_minute=per_minute)
            if not granted:
                self.again_in = max(BURST, MINUTE / per_minute)
                return 0
        return self._take_of_day(granted, at)

    def give_back(self, count: int) -> None:
        """Take back what was granted for messages that were not tried."""
        if count and self._settings.per_minute is not None:
            self._meters.give_back(self._throttle, count)
        self.give_back_tried(count)

    def give_back_tried(self, count: int) -> None:
        """Take back from the day alone: the provider was asked, but took nothing."""
        if count and self._day is not None:
            self._meters.give_back_of_day(self._ramp, count, self._day)

    def _take_of_day(self, count: int, at: datetime) -> int:
        if self._settings.warm_up is None:
            return count
        self._day = at.astimezone(self._zone).date()
        limit = limit_of_day(self._settings.warm_up, self._day)
        if limit is None:
            self._day = None
            return count
        granted = self._meters.take_of_day(self._ramp, count, self._day, at, limit=limit)
        if self._settings.per_minute is not None:
            self._meters.give_back(self._throttle, count - granted)
        return granted


def limit_of_day(warm_up: WarmUpSettings, day: date) -> int | None:
    """Return how many messages may leave on ``day``; None where that is as good as any."""
    days = max((day - warm_up.first_day).days, 0)
    if days * math.log(warm_up.growth) > math.log(MOST_GROWTH):
        return None
    return round(warm_up.messages * warm_up.growth**days)
