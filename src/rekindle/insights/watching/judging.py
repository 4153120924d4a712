"""Judges the newest day of a daily count by the days before it.

Counts are judged as 2 √(x + 3/8), whose spread is about 1 whatever their mean (Anscombe,
Biometrika 35 (1948), 246-254). The usual value of a weekday is the median of that weekday,
the spread the median absolute deviation of all days from theirs: neither moves by the few
days that were unusual. What counts per message is judged beside how many messages left.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from statistics import median

from rekindle.vocabulary import Unknown
from rekindle.wording import counted, numbered

WEEK = 7
HISTORY_DAYS = 8 * WEEK
DAYS_NEEDED = 4 * WEEK
# So many spreads away from usual, and at least so many things more or fewer.
FAR = 5.0
LEAST = 5
# Of the median absolute deviation to the standard deviation, in a normal distribution.
TO_DEVIATION = 1.4826
# A journey that let in so many a week, and then nobody for a week, is not quiet by chance.
ENTRIES_A_WEEK = 10
_SHIFT = 3 / 8


class Direction(StrEnum):
    """Which side of usual is worth a word."""

    UP = "up"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Daily:
    """A count a day, without gaps, until ``last_on``; ``of`` is what each day's count is of.

    Without ``of`` a day is judged by itself.
    """

    name: str
    last_on: date
    counts: Sequence[int]
    of: Sequence[int] = ()
    direction: Direction = Direction.BOTH


@dataclass(frozen=True, slots=True)
class Usual:
    """What a count is usually: about ``expected``, and from ``low`` to ``high``."""

    expected: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class JudgedCount:
    """The newest day of a count, and what was found; ``words`` say it where it is unusual."""

    name: str
    on: date
    count: int
    usual: Usual | Unknown
    words: str = ""

    @property
    def is_unusual(self) -> bool:
        """Return whether somebody has to look."""
        return bool(self.words)


def judge_day(daily: Daily) -> JudgedCount:
    """Return whether the newest day of a count is as usual for its weekday."""
    counts = list(daily.counts[-HISTORY_DAYS - 1 :])
    of = list(daily.of[-HISTORY_DAYS - 1 :])
    while len(counts) > 1 and not (of or counts)[0]:  # before there was anything to count
        counts, of = counts[1:], of[1:]
    today, before = counts[-1], counts[:-1]
    if len(before) < DAYS_NEEDED:
        return JudgedCount(daily.name, daily.last_on, today, _too_short(len(before)))
    usual = _find_usual(before, of)
    word = _find_word(today, usual, daily.direction)
    words = _say(daily, today, usual, word) if word else ""
    return JudgedCount(daily.name, daily.last_on, today, usual, words)


def judge_entries(daily: Daily, *, running_days: int) -> JudgedCount:
    """Return whether a journey that runs for so many days lets anybody in.

    ``daily`` are its entries; a week without any is judged by the weeks before.
    """
    week = sum(daily.counts[-WEEK:])
    earlier = daily.counts[-HISTORY_DAYS:-WEEK]
    weeks = [sum(earlier[at : at + WEEK]) for at in range(0, len(earlier) - WEEK + 1, WEEK)]
    usual: Usual | Unknown = Unknown("it has not let anybody in before")
    if any(earlier):
        expected = float(median(weeks)) if weeks else 0.0
        usual = Usual(expected, min(expected, 1.0), math.inf)
    words = ""
    if not week and running_days >= WEEK:
        if not any(daily.counts):
            words = (
                f"{daily.name} is live, but has let nobody in since it began, "
                f"{counted(running_days, 'day')} ago; look at its audience with `rekindle plan`"
            )
        elif isinstance(usual, Usual) and usual.expected >= ENTRIES_A_WEEK:
            words = (
                f"{daily.name} is live, but let nobody in for a week, where "
                f"{usual.expected:,.0f} a week are usual; look at its audience with "
                "`rekindle plan`, and at the imports"
            )
    return JudgedCount(f"entries of {daily.name}", daily.last_on, week, usual, words)


def _too_short(days: int) -> Unknown:
    return Unknown(
        f"{counted(days, 'day')} {numbered(days, 'is')} on record before; {DAYS_NEEDED} are needed"
    )


def _find_usual(before: Sequence[int], of: Sequence[int]) -> Usual:
    """Return what is usual on the day after ``before``, which ``of`` has as well."""
    rate = sum(before) / sum(of[:-1]) if sum(of[:-1]) else 0.0
    level = [_root(rate * one) for one in of] if of else [0.0] * (len(before) + 1)
    rest = [_root(count) - at for count, at in zip(before, level, strict=False)]
    days = len(before)
    seasons = [
        median([one for at, one in enumerate(rest) if (days - at) % WEEK == day])
        for day in range(WEEK)
    ]
    apart = [abs(one - seasons[(days - at) % WEEK]) for at, one in enumerate(rest)]
    spread = max(TO_DEVIATION * median(apart), 1.0)
    middle = level[-1] + seasons[0]
    return Usual(_square(middle), _square(middle - FAR * spread), _square(middle + FAR * spread))


def _find_word(today: int, usual: Usual, direction: Direction) -> str:
    if abs(today - usual.expected) < LEAST:
        return ""
    if today > usual.high:
        return "more"
    return "fewer" if today < usual.low and direction is Direction.BOTH else ""


def _say(daily: Daily, today: int, usual: Usual, word: str) -> str:
    end = f"at most {usual.high:,.0f}" if word == "more" else f"at least {usual.low:,.0f}"
    beside = ", by the messages that left," if daily.of else ""
    return (
        f"{daily.name}: {today:,} on {daily.last_on}, {word} than usual: about "
        f"{usual.expected:,.0f}{beside} and {end} on a {daily.last_on:%A}"
    )


def _root(count: float) -> float:
    return 2 * math.sqrt(count + _SHIFT)


def _square(root: float) -> float:
    return max((max(root, 0.0) / 2) ** 2 - _SHIFT, 0.0)
