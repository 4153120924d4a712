"""What a lift adds up to and when it may be believed, as rows of plain words."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from rekindle.experiments import ComingBack, ReadingDate
from rekindle.insights.lifting.earnings import Earnings, Range
from rekindle.insights.lifting.reading import Readout
from rekindle.insights.words import UNKNOWN, say_day
from rekindle.vocabulary import IntervalKind, Unknown
from rekindle.wording import counted, numbered, percent, times

Say = Callable[[float], str]
Row = tuple[str, ...]
_MANY_DAYS = 3_650


def tell_earnings(earnings: Earnings, say_money: Say) -> Iterator[Row]:
    """Yield each figure with its ends: what, value, from, to."""
    figures: tuple[tuple[str, Range | Unknown, Say], ...] = (
        ("earned in total", earnings.total, say_money),
        ("more than the holdout, relative", earnings.relative, percent),
        ("return on what messages cost", earnings.on_spend, times),
        ("cost of one more return", earnings.per_return, say_money),
    )
    for name, figure, say in figures:
        if isinstance(figure, Unknown):
            yield (name, UNKNOWN, "", "")
        else:
            ends = ["open" if end is None else say(end) for end in (figure.low, figure.high)]
            yield (name, say(figure.value), *ends)
    if earnings.acquisition_cost is not None:
        yield ("cost of a new customer, as you say", say_money(earnings.acquisition_cost), "", "")


def tell_power(earnings: Earnings, say_money: Say) -> Iterator[str]:
    """Yield what this list can prove, and what it would take for what was seen."""
    power = earnings.power
    if isinstance(power.provable, Unknown):
        return
    yield (
        f"A list of this size shows a difference of {say_money(power.provable)} per customer in "
        "four journeys of five."
    )
    if isinstance(power.people_needed, Unknown) or isinstance(power.days_until, Unknown):
        return
    if power.days_until <= 0:
        yield "That is no more than was seen."
    elif power.days_until > _MANY_DAYS:
        yield "What was seen is too small to be shown in ten years at this pace."
    else:
        days = math.ceil(power.days_until)
        yield (
            f"For a difference as large as the seen one it takes {power.people_needed:,.0f} "
            f"people: {counted(days, 'more day')} at the pace so far."
        )


def tell_words(reading: Readout, back: ComingBack | Unknown, zone: str) -> Iterator[Row]:
    """Yield the words by which figures may be read: word, what it says now."""
    yield ("reading date", _tell_reading_date(reading, zone))
    if reading.interval is IntervalKind.OPEN_ENDED:
        yield ("open-ended", "the interval above is wider, and right whenever you look")
    else:
        yield ("open-ended", "not needed: the figures are read at a date")
    yield ("are they coming back?", _tell_coming_back(back))


def _tell_reading_date(reading: Readout, zone: str) -> str:
    if reading.ends_at is None:
        if reading.interval is IntervalKind.FIXED:
            return "the figures are read once, now"
        return "none; `read_on` in the journey's goal declares one"
    date = say_day(reading.ends_at, zone)
    watch = reading.watch
    if not isinstance(watch, ReadingDate) or watch.elapsed >= 1:
        return f"{date}, and it is over: this is the result"
    looks = counted(len(reading.looks), "earlier look")
    told = f"{date}; {percent(watch.elapsed)} of the time is over"
    if reading.is_too_early:
        return f"{told}: too early, nothing is said yet"
    counts = numbered(len(reading.looks), "is")
    return f"{told}, {looks} {counts} counted in the interval"


def _tell_coming_back(back: ComingBack | Unknown) -> str:
    if isinstance(back, Unknown):
        return back.reason
    ends = [f"{end:,.2f}" if math.isfinite(end) else "open" for end in (back.low, back.high)]
    rate = f"{back.ratio:,.2f} times as often as the holdout (from {ends[0]} to {ends[1]})"
    if not math.isfinite(back.ratio):
        rate = f"nobody of the holdout is back (from {ends[0]} times as often to {ends[1]})"
    if not back.is_shown:
        return f"not shown yet: {rate}; may be looked at on any day"
    side = "yes" if back.ratio > 1 else "less than those left alone"
    return f"{side}: {rate}; holds whenever it was looked at"
