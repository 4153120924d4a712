"""The ways to wait: a while, for behaviour, for a local time, for a date."""

from __future__ import annotations

import re
from datetime import time, timedelta
from difflib import get_close_matches

from rekindle.config import parse_duration
from rekindle.journeys.language.conditions import read_date_column, read_events, refuse_exits
from rekindle.journeys.language.document import Entry, Scalar, Section, check_keys, refuse, suggest
from rekindle.journeys.language.values import duration, need, number, optional
from rekindle.journeys.language.words import (
    DATE_AT_MOST,
    KEYS,
    MAX_DAYS,
    TIME_PATTERN,
    WEEKDAYS,
)
from rekindle.journeys.model import Wait, WaitForDate, WaitForEvent, WaitForTime

Waiting = Wait | WaitForDate | WaitForEvent | WaitForTime


def read_wait(wait: Entry, key: str, exits: frozenset[str]) -> Waiting:
    """Return the wait that the entry says; what is in ``exits`` is nothing to wait for."""
    if not isinstance(wait, Section):
        return Wait(key, duration(wait))
    check_keys(wait, KEYS["wait"])
    if (until := wait.get("until")) is None:
        return _read_while(wait, key, exits)
    for stray in ("for", "or_on"):
        if stray in wait.lines:
            refuse(
                wait,
                f"{stray!r} does not stand beside 'until'; write for: 5 days with or_on, "
                "or until with at_most",
                line=wait.lines[stray],
            )
    if isinstance(until, Section):
        return _read_until_date(wait, until, key)
    if isinstance(until, Scalar) and _names_a_moment(until.text):
        return _read_until_moment(wait, until, key)
    return _read_until_event(wait, until, key, exits)


def _read_while(wait: Section, key: str, exits: frozenset[str]) -> Wait:
    if "at_most" in wait.lines:
        refuse(
            wait,
            "'at_most' bounds an 'until'; write for: 5 days, or until: clicked beside it",
            line=wait.lines["at_most"],
        )
    length = duration(need(wait, "for", "for: 5 days, or until: clicked with at_most: 5 days"))
    return Wait(key, length, _optional_events(wait, exits))


def _optional_events(wait: Section, exits: frozenset[str]) -> frozenset[str]:
    entry = wait.get("or_on")
    return frozenset() if entry is None else _events_that_let_go_on(entry, exits)


def _read_until_event(wait: Section, until: Entry, key: str, exits: frozenset[str]) -> WaitForEvent:
    events = _events_that_let_go_on(until, exits)
    if wait.get("at_most") is None:
        refuse(until, "this may wait for ever; add at_most: 5 days")
    return WaitForEvent(key, events, _at_most(wait))


def _read_until_date(wait: Section, until: Section, key: str) -> WaitForDate:
    check_keys(until, KEYS["until"])
    column = read_date_column(need(until, "date", "date: refill_due_on"))
    days = optional(until, "days_before", lambda entry: number(entry, least=0, most=MAX_DAYS), 0)
    return WaitForDate(key, column, _at_most(wait), days)


def _at_most(wait: Section) -> timedelta:
    return optional(wait, "at_most", duration, parse_duration(DATE_AT_MOST))


def _read_until_moment(wait: Section, until: Scalar, key: str) -> WaitForTime:
    if "at_most" in wait.lines:
        refuse(
            wait,
            "a time of day or a weekday comes by itself; remove 'at_most'",
            line=wait.lines["at_most"],
        )
    words = until.text.split()
    day, clock = words[0], words[-1]
    if len(words) == 1 and clock[0].isdigit():
        return WaitForTime(key, _clock(until, clock))
    if len(words) == 1:
        return WaitForTime(key, None, _weekday(until, day))
    if len(words) > 2 or day[0].isdigit():
        refuse(
            until,
            f"{until.text!r} is no time; write '09:30', 'monday' or 'monday 09:30', which is "
            "the person's own local time and takes no zone",
        )
    return WaitForTime(key, _clock(until, clock), _weekday(until, day))


def _names_a_moment(text: str) -> bool:
    words = text.split()
    return len(words) > 1 or text[:1].isdigit() or bool(_near_weekdays(text))


def _near_weekdays(word: str) -> list[str]:
    return [word] if word in WEEKDAYS else get_close_matches(word.lower(), WEEKDAYS, 1, 0.8)


def _weekday(entry: Entry, word: str) -> int:
    if word not in WEEKDAYS:
        days = [name for name in WEEKDAYS if len(name) > len("mon")]
        refuse(entry, f"unknown weekday {word!r}{suggest(word, days)}")
    return WEEKDAYS[word]


def _clock(entry: Entry, text: str) -> time:
    if re.fullmatch(TIME_PATTERN, text) is None:
        refuse(entry, f"{text!r} is no time of day; write it from 00:00 to 23:59, like '09:30'")
    hour, minute = text.split(":")
    return time(int(hour), int(minute))


def _events_that_let_go_on(entry: Entry, exits: frozenset[str]) -> frozenset[str]:
    events = read_events(entry)
    refuse_exits(entry, events, exits)
    return events
