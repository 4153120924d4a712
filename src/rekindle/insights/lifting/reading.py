"""How often a journey's figures may be looked at, and what the looks so far leave.

With a reading date (``read_on`` in the journey's goal) the level is spent over the time
until then. Without one the interval is open-ended while anybody's window is open, and read
as at a date once all are closed. A replay is read once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from rekindle.clock import end_of_day
from rekindle.experiments import TOO_EARLY, OpenEnded, ReadingDate, Watch
from rekindle.insights.record import JourneyRecord
from rekindle.insights.wire import Json
from rekindle.vocabulary import IntervalKind
from rekindle.wording import counted, percent


@dataclass(frozen=True, slots=True)
class Readout:
    """How a report is read: ``ends_at`` is the reading date.

    It is None while a journey without a declared date still has open windows. ``looks`` are
    the earlier looks that count, as parts of the time from the first entry until then.
    """

    watch: Watch
    ends_at: datetime | None
    is_declared: bool
    looks: Sequence[float] = ()

    @property
    def interval(self) -> IntervalKind:
        """Return what kind of interval the figures have."""
        if isinstance(self.watch, OpenEnded):
            return IntervalKind.OPEN_ENDED
        return IntervalKind.FIXED if self.watch is None else IntervalKind.READING_DATE

    @property
    def is_too_early(self) -> bool:
        """Return whether so little of the time is over that nothing is said."""
        return isinstance(self.watch, ReadingDate) and self.watch.elapsed < TOO_EARLY

    @property
    def costs_a_look(self) -> bool:
        """Return whether looking now makes later intervals a little wider."""
        return isinstance(self.watch, ReadingDate) and not self.is_too_early

    @property
    def told(self) -> str:
        """Return in a sentence how often the figures may be looked at."""
        if self.is_too_early:
            return f"Nothing is said of them before {percent(TOO_EARLY)} of the time is over."
        if isinstance(self.watch, ReadingDate):
            looks = counted(len(self.looks), "earlier look")
            return f"The interval counts {looks} until its reading date; you may look again."
        if isinstance(self.watch, OpenEnded):
            return (
                "Without a reading date (`read_on` in the goal) the interval is open-ended: "
                "wider, and right whenever you look."
            )
        return "The interval is meant to be read once."

    def to_json(self) -> Json:
        """Return how the figures are read, as JSON values."""
        watch = self.watch
        return {
            "interval": self.interval.value,
            "reads_at": None if self.ends_at is None else self.ends_at.isoformat(),
            "is_declared": self.is_declared,
            "elapsed": round(watch.elapsed, 4) if isinstance(watch, ReadingDate) else None,
            "looks": len(self.looks),
        }


ONCE = Readout(None, None, is_declared=False)


def find_reading(record: JourneyRecord, zone: ZoneInfo) -> Readout:
    """Return how the figures of ``record`` are to be read at its end.

    A replay is read once, at its end or at the reading date if that lies before.
    """
    entries = [one.entered_at for one in record.assigned]
    declared = None if record.reads_on is None else _end_of(record.reads_on, zone)
    is_once = record.is_replay and (declared is None or declared > record.until)
    if is_once or not entries:
        return ONCE
    begins_at = min(entries)
    ends_at = declared or max(entries) + record.journey.goal.within
    if declared is None and ends_at > record.settled_until:
        return Readout(OpenEnded(), None, is_declared=False)
    # Looks at what was known already are one.
    looks = sorted(
        {
            part
            for at in record.looks
            if at < record.settled_until and (part := _part(begins_at, ends_at, at)) < 1
        }
    )
    watch = ReadingDate(min(_part(begins_at, ends_at, record.settled_until), 1.0), looks)
    return Readout(watch, ends_at, declared is not None, looks)


def _end_of(day: date, zone: ZoneInfo) -> datetime:
    return end_of_day(datetime.combine(day, time(12), zone), zone)


def _part(begins_at: datetime, ends_at: datetime, at: datetime) -> float:
    """Return which part of a period is over at an instant; all of it where it has no length."""
    length = (ends_at - begins_at).total_seconds()
    return (at - begins_at).total_seconds() / length if length > 0 else 1.0
