"""The facts as they are read now, replaced as a whole when they change."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from rekindle.clock import end_of_day
from rekindle.facts.engines.engine import Engine
from rekindle.facts.facts import Facts

# Facts this old are a file someone is trying out, not the present.
STALE = timedelta(days=35)


class Reading(NamedTuple):
    """An engine and the tables of the facts in it.

    Whoever asks more than one question takes one reading for all of them: another thread
    may bring in newer facts in between.
    """

    engine: Engine
    facts: Facts


def list_quarantine(reading: Reading) -> list[dict[str, Any]]:
    """Return the rows that broke a contract, with file, line, reason and detail."""
    rows = (reading.facts.bookkeeping or {}).get("quarantine")
    if rows is None:
        return []
    return list(reading.engine.run(rows.order_by("source", "file", "line")).to_pylist())


def find_present(reading: Reading, now: datetime, zone: ZoneInfo) -> datetime:
    """Return now, or the end of the last day on which something was sold if the facts are old.

    A file from the past is judged as of its own end: as of today, everyone in it would be
    long gone.
    """
    engine, facts = reading
    ordered: datetime | None = engine.scalar(facts.orders.ordered_at.max())
    sold = facts.more["subscriptions"]
    told = [sold.started_at.max()]
    if ordered is None:
        # The end of what is paid for may say it: if that lies ahead, these facts are of today. So
        # may a payment. Where something is ordered, they would add days of which no order was told.
        told += [sold.ended_at.max(), facts.more["payments"].attempted_at.max()]
    newest = [at for at in (ordered, *map(engine.scalar, told)) if at is not None]
    if not newest or now - max(newest) < STALE:
        return now
    return end_of_day(max(newest), zone)


def read_at(reading: Reading, at: datetime, now: datetime, zone: ZoneInfo) -> Reading:
    """Return the reading that answers a question of ``at``.

    At the end of old facts all that was read of them is known, also what has no date.
    """
    may_move = reading.facts.has_late_changes and at < now
    if not may_move or at < find_present(reading, now, zone):
        return reading
    return reading._replace(facts=reading.facts.as_read(at))


def find_known_until(reading: Reading, now: datetime) -> datetime:
    """Return until when it is known who bought: now, or the newest order if that is older.

    Who has not bought after it did not stay away: nothing was imported. Of a business that lives
    by subscriptions alone, in which nothing begins for weeks, the present says it.
    """
    newest: datetime | None = reading.engine.scalar(reading.facts.orders.ordered_at.max())
    if newest is None:
        return find_present(reading, now, ZoneInfo(reading.facts.zone))
    return min(now, newest)


class Readings:
    """The present reading, opened by the first who asks and shared by all threads.

    One that is forgotten is not closed: another thread may be in the middle of it. It
    goes when nobody holds it any more.
    """

    def __init__(self, open_engine: Callable[[], Engine]) -> None:
        self._open = open_engine
        self._lock = threading.Lock()
        self._held: Reading | None = None

    def take(self) -> Reading:
        """Return the present reading."""
        with self._lock:
            if self._held is None:
                engine = self._open()
                self._held = Reading(engine, engine.facts())
            return self._held

    def forget(self) -> None:
        """Let the next question see the newest facts."""
        with self._lock:
            self._held = None
