"""How the values of settings are written: durations, days, zones, amounts and texts."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, time, timedelta
from decimal import Decimal
from difflib import get_close_matches
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from rekindle.countries import check_currency

DURATION_UNITS = {"minute": 60, "hour": 3600, "day": 86400, "week": 604800}
DURATION_PATTERN = r"^\s*[0-9]+\s*(minute|hour|day|week)s?\s*$"
# Instants stay inside every database's calendar when so much is added or taken away.
LONGEST_DURATION = timedelta(days=3660)
DEFAULT_CURRENCY = "GBP"
EARLIEST, LATEST = date(1970, 1, 1), date(2199, 12, 31)


def parse_duration(text: object) -> timedelta:
    """Return the duration written as ``5 days``, ``16 hours`` or ``2 weeks``.

    Raises:
        ValueError: the text is no whole number followed by a unit, or says more than
            ``LONGEST_DURATION``.
    """
    if isinstance(text, timedelta):
        return text
    number, _, unit = " ".join(str(text).split()).partition(" ")
    seconds = DURATION_UNITS.get(unit.removesuffix("s"))
    if seconds is None or re.fullmatch("[0-9]+", number) is None:
        raise ValueError(
            f"{shorten(text)} is no duration; write a number and a unit, like '5 days'"
        )
    # More digits than these are too many; a number of thousands of them is not even read.
    if len(number.lstrip("0")) > 9 or int(number) * seconds > LONGEST_DURATION.total_seconds():
        raise ValueError(
            f"{shorten(text)} is no duration here, it is out of range; ten years "
            f"({LONGEST_DURATION.days} days) is the most"
        )
    return timedelta(seconds=int(number) * seconds)


def shorten(value: object, most: int = 60) -> str:
    """Return a value as a message shows it: on one line, without control characters."""
    text = repr(value)
    return text if len(text) <= most else f"{text[:most]}…"


def write_duration(value: timedelta) -> str:
    """Return a duration as ``parse_duration`` reads it, in the largest whole unit."""
    seconds = int(value.total_seconds())
    for unit, size in sorted(DURATION_UNITS.items(), key=lambda item: -item[1]):
        if seconds and seconds % size == 0:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds // 60} minutes"


Day = tuple[int, int]
"""A month and a day of it, every year."""


def parse_span(text: str) -> tuple[date, date] | tuple[Day, Day]:
    """Return the first and last day of ``2026-11-27..2026-11-30`` or ``12-24..12-26``.

    One day alone is a span of one. A span without years comes every year, and may cross
    the new year.

    Raises:
        ValueError: it is no day or span, or ends before it begins.
    """
    first, _, last = text.replace(" ", "").partition("..")
    try:
        if first.count("-") == 2:
            begin, end = date.fromisoformat(first), date.fromisoformat(last or first)
            if end < begin:
                raise ValueError
            return begin, end
        return _parse_day(first), _parse_day(last or first)
    except ValueError as error:
        raise ValueError(
            f"{shorten(text)} is no day or span; write 2026-12-25, 2026-11-27..2026-11-30 "
            "or, for every year, 12-24..12-26"
        ) from error


def _parse_day(text: str) -> Day:
    found = date.fromisoformat(f"2024-{text}")  # a leap year, so that 02-29 is a day
    return found.month, found.day


def check_zone(name: str) -> str:
    """Return the name of an IANA zone; ValueError with the nearest one if it is none."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # a folder of zones is one too
        near = [one for one in available_timezones() if one.endswith(f"/{name.title()}")]
        near = sorted(near) or get_close_matches(name, sorted(available_timezones()), 1)
        hint = f"did you mean {near[0]!r}?" if near else "write one like 'Europe/London'"
        raise ValueError(f"{shorten(name)} is no IANA time zone; {hint}") from error
    return name


def _check_day(day: date) -> date:
    if not EARLIEST <= day <= LATEST:
        raise ValueError(f"{day} is no day of ours; write one from {EARLIEST} to {LATEST}")
    return day


def _check_local_time(moment: time) -> time:
    if moment.tzinfo is not None or moment.microsecond:
        raise ValueError("write a local time without a zone, like '21:00'")
    return moment


def _check_address(value: str) -> str:
    try:
        parts = urlsplit(value)
        is_web = parts.scheme in {"http", "https"}
        if is_web and not parts.hostname:
            raise ValueError("no host")
        _ = parts.port
    except ValueError as error:
        raise ValueError(f"this is no address: {error}; write one like https://shop.example") from (
            error
        )
    return value


def check_listen(value: str) -> str:
    """Return an address to listen on, if it is one: ``127.0.0.1:8000``."""
    if not 0 < int(value.rpartition(":")[2]) < 65536:
        raise ValueError("a port is a number from 1 to 65535")
    return value


def _check_lines(value: str) -> str:
    _check_text("".join(value.split()))
    return value


def _check_text(value: str) -> str:
    if any(unicodedata.category(one) in ("Cc", "Cs") for one in value):
        raise ValueError("a control character stands in it; remove it")
    return value


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(write_duration, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": DURATION_PATTERN,
            "maxLength": 40,
            "examples": ["5 days"],
        }
    ),
]
Zone = Annotated[str, Field(max_length=100), AfterValidator(check_zone)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
EVENT_PATTERN = r"^[a-z][a-z0-9_]*$"
Event = Annotated[str, Field(pattern=EVENT_PATTERN, max_length=64)]
MOST_DAYS, MOST_TIMES, MOST_MESSAGES = 36_500, 1_000_000, 1_000_000_000
# A budget of the largest costs fits the ledger, which counts millionths in 64 bits.
LARGEST_COST, LARGEST_BUDGET = 1_000_000, 1_000_000_000
Cost = Annotated[
    Decimal,
    Field(ge=0, le=LARGEST_COST, allow_inf_nan=False),
    WithJsonSchema({"type": ["number", "string"], "minimum": 0, "maximum": LARGEST_COST}),
]
BudgetLimit = Annotated[
    Decimal,
    Field(ge=0, le=LARGEST_BUDGET, allow_inf_nan=False),
    WithJsonSchema({"type": ["number", "string"], "minimum": 0, "maximum": LARGEST_BUDGET}),
]
Share = Annotated[
    Decimal,
    Field(ge=0, le=1, allow_inf_nan=False),
    WithJsonSchema({"type": ["number", "string"], "minimum": 0, "maximum": 1}),
]
# Eight digits before the mark and ten behind it are what a database multiplies exactly.
RATE_PLACES, LARGEST_RATE = 10, 10_000_000
Rate = Annotated[
    Decimal,
    Field(gt=0, le=LARGEST_RATE, decimal_places=RATE_PLACES, allow_inf_nan=False),
    WithJsonSchema({"type": ["number", "string"], "exclusiveMinimum": 0, "maximum": LARGEST_RATE}),
]
Currency = Annotated[str, Field(max_length=3), AfterValidator(check_currency)]
Text = Annotated[str, Field(max_length=200), AfterValidator(_check_text)]
Place = Annotated[str, Field(max_length=1000), AfterValidator(_check_text)]
Address = Annotated[Place, AfterValidator(_check_address)]
Host = Annotated[str, Field(max_length=253, pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")]
LongText = Annotated[str, Field(max_length=100_000), AfterValidator(_check_lines)]
CalendarDay = Annotated[date, AfterValidator(_check_day)]
LocalTime = Annotated[time, AfterValidator(_check_local_time)]
