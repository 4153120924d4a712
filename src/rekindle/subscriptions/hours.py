"""At which hour of the day retries go through, learnt from a business's own.

Attempts at an hour were not drawn at random: later tries go through less often, and some declines
more often than others. So hours are compared within the number of the try and the code of the
decline before it. One hour is taken from the earlier part of the retries, shrunk to the share of
all, and judged once on the later part, so that it is not believed because it was looked for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import sqrt
from zoneinfo import ZoneInfo

EARLIER = 2 / 3
"""Of the retries, in order of their instants; the rest is what an hour is judged on."""
SHRINK = 10.0
"""Retries that went through, as expected, that every hour is thought to have had beside its own."""
LEAST_AT_HOUR = 30
"""In the later part; in the earlier one as many times more as it is larger."""
USUAL = 0.8
"""Of first failures: the fewest hours that hold so many are the hours of the schedule."""
Z = 1.959964  # two-sided, 95 %
QUARTER = timedelta(minutes=15)
FURTHEST = timedelta(hours=48)
"""An hour that a clock change leaves out is there on the day after."""

Stratum = tuple[int, str]
Cell = tuple[int, int]
Cells = Mapping[tuple[Stratum, int], Cell]


class HourReason(StrEnum):
    """Why retries are made at the hour at which they are."""

    LEARNT = "learnt"
    """It went through more often than at the hours of the schedule, out of time."""
    TOO_FEW = "too_few"
    """Too few retries at one hour, or at the hours of the schedule, to compare."""
    NOT_BETTER = "not_better"
    """The hour that looked best was not better, by an interval, on what came later."""
    SAME = "same"
    """The hour that looks best is that of the schedule."""


@dataclass(frozen=True, slots=True)
class RetryCount:
    """Retries of one quarter of an hour: at which local hour, and how many went through.

    ``number`` counts the failures before, and ``code`` is that of the last one.
    """

    at: datetime
    hour: int
    number: int
    code: str
    tries: int
    paid: int

    @property
    def stratum(self) -> Stratum:
        """Return within what hours are compared."""
        return self.number, self.code


@dataclass(frozen=True, slots=True)
class HourChoice:
    """Which hour of the day is used for retries, and why.

    ``hour`` is None where the schedule's own is. ``looked_best`` was judged: ``there`` and
    ``usual`` are shares that went through, there and at the schedule's hours, of like retries;
    their difference lies from ``low`` to ``high`` (95 %). Of what was not compared they are 0.
    """

    reason: HourReason
    retries: int
    hour: int | None = None
    looked_best: int | None = None
    there: float = 0.0
    usual: float = 0.0
    low: float = 0.0
    high: float = 0.0


def learn_hour(retries: Sequence[RetryCount], first_hours: Mapping[int, int]) -> HourChoice:
    """Return the hour at which retries are best made.

    ``first_hours`` counts the first failures by local hour: at these a schedule retries, since it
    counts from them.
    """
    ordered = sorted(retries, key=lambda one: one.at)
    count = sum(one.tries for one in ordered)
    earlier, later = _split(ordered, count)
    best = _looks_best(earlier)
    if best is None:
        return HourChoice(HourReason.TOO_FEW, count)
    usual = _usual(first_hours) - {best}
    if not usual:
        reason = HourReason.SAME if first_hours else HourReason.TOO_FEW
        return HourChoice(reason, count, looked_best=best)
    return _judged(later, best, usual, count)


def at_hour(at: datetime, hour: int, zone: ZoneInfo) -> datetime:
    """Return the first instant, ``at`` or later, at which the local clock shows an hour."""
    if at.astimezone(zone).hour == hour:
        return at
    start = at.astimezone(UTC)
    start = start.replace(minute=start.minute // 15 * 15, second=0, microsecond=0)
    for number in range(1, FURTHEST // QUARTER + 1):
        if (found := start + number * QUARTER).astimezone(zone).hour == hour:
            return found
    return at  # no zone is without an hour for two days


def _split(
    ordered: Sequence[RetryCount], count: int
) -> tuple[Sequence[RetryCount], Sequence[RetryCount]]:
    seen = 0
    for place, one in enumerate(ordered):
        seen += one.tries
        if seen > count * EARLIER:
            return ordered[:place], ordered[place:]
    return ordered, ()


def _cells(retries: Sequence[RetryCount]) -> Cells:
    found: dict[tuple[Stratum, int], Cell] = defaultdict(lambda: (0, 0))
    for one in retries:
        tries, paid = found[one.stratum, one.hour]
        found[one.stratum, one.hour] = tries + one.tries, paid + one.paid
    return found


def _looks_best(retries: Sequence[RetryCount]) -> int | None:
    """Return the hour of the most success for its mix of retries, None where none has enough."""
    cells = _cells(retries)
    whole: dict[Stratum, Cell] = defaultdict(lambda: (0, 0))
    for (stratum, _), (tries, paid) in cells.items():
        whole[stratum] = whole[stratum][0] + tries, whole[stratum][1] + paid
    tries_at: Counter[int] = Counter()
    paid_at: Counter[int] = Counter()
    expected: defaultdict[int, float] = defaultdict(float)
    for (stratum, hour), (tries, paid) in cells.items():
        tries_at[hour] += tries
        paid_at[hour] += paid
        expected[hour] += tries * whole[stratum][1] / whole[stratum][0]
    scores = {
        hour: (paid_at[hour] + SHRINK) / (expected[hour] + SHRINK)
        for hour, tries in tries_at.items()
        if tries >= LEAST_AT_HOUR * EARLIER / (1 - EARLIER)
    }
    return max(sorted(scores), key=lambda hour: scores[hour], default=None)


def _usual(first_hours: Mapping[int, int]) -> frozenset[int]:
    """Return the fewest hours that hold most of the first failures."""
    wanted, held = USUAL * sum(first_hours.values()), 0
    found = set()
    for hour in sorted(first_hours, key=lambda one: (-first_hours[one], one)):
        if held >= wanted:
            break
        found.add(hour)
        held += first_hours[hour]
    return frozenset(found)


def _judged(
    later: Sequence[RetryCount], best: int, usual: frozenset[int], count: int
) -> HourChoice:
    """Compare an hour with the schedule's by what came later (Mantel and Haenszel's weights).

    Each part of like retries counts by how much it can say: n1·n0 ÷ (n1 + n0).
    """
    there, other = (
        sum(one.tries for one in later if one.hour in hours) for hours in ({best}, usual)
    )
    if min(there, other) < LEAST_AT_HOUR:
        return HourChoice(HourReason.TOO_FEW, count, looked_best=best)
    weights = rate_there = rate_usual = variance = 0.0
    for (tries1, paid1), (tries0, paid0) in _pairs(_cells(later), best, usual):
        weight = tries1 * tries0 / (tries1 + tries0)
        weights += weight
        rate_there += weight * paid1 / tries1
        rate_usual += weight * paid0 / tries0
        variance += weight**2 * (_variance(tries1, paid1) + _variance(tries0, paid0))
    if not weights:  # no two retries that are alike
        return HourChoice(HourReason.TOO_FEW, count, looked_best=best)
    rate_there, rate_usual = rate_there / weights, rate_usual / weights
    reach = Z * sqrt(variance) / weights
    low, high = rate_there - rate_usual - reach, rate_there - rate_usual + reach
    reason = HourReason.LEARNT if low > 0 else HourReason.NOT_BETTER
    hour = best if low > 0 else None
    return HourChoice(reason, count, hour, best, rate_there, rate_usual, low, high)


def _pairs(cells: Cells, best: int, usual: frozenset[int]) -> Iterator[tuple[Cell, Cell]]:
    """Yield, of each part of like retries that has both, those of an hour and of the schedule's."""
    for stratum in sorted({stratum for stratum, _ in cells}):
        at_usual = [cells[stratum, hour] for hour in usual if (stratum, hour) in cells]
        if at_usual and (stratum, best) in cells:
            tries, paid = (sum(one) for one in zip(*at_usual, strict=True))
            yield cells[stratum, best], (tries, paid)


def _variance(tries: int, paid: int) -> float:
    """Return the variance of a share; one of none or of all is not certain."""
    share = (paid + 0.5) / (tries + 1)
    return share * (1 - share) / tries


def say_hour(choice: HourChoice) -> str:
    """Return which hour is used and why, as a sentence."""
    best = "" if choice.looked_best is None else f"{choice.looked_best:02}:00"
    shares = (
        f"{choice.there:.1%} of like retries went through there and {choice.usual:.1%} at the "
        f"schedule's hours (95 % interval of the difference: {choice.low * 100:+.1f} to "
        f"{choice.high * 100:+.1f} points)"
    )
    match choice.reason:
        case HourReason.LEARNT:
            return f"at {best} where the payer lives: {shares}"
        case HourReason.NOT_BETTER:
            return f"at the schedule's hour: {best} looked best, and was not; {shares}"
        case HourReason.SAME:
            return f"at the schedule's hour, {best}, which looks best"
        case HourReason.TOO_FEW:
            return (
                f"at the schedule's hour: {choice.retries} soft declines were tried again "
                "with the same card, too few at one hour to learn a better one"
            )
