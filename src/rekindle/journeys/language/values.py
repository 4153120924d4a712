"""Single values of a journey file: names, numbers, durations, shares.

Each reader takes the entry where the value stands, so that its complaint names the line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection
from datetime import date, timedelta
from typing import TypeVar

from rekindle.config import parse_duration
from rekindle.journeys.language.document import Entry, Items, Scalar, Section, refuse, suggest
from rekindle.journeys.language.words import MAX_DURATION, MAX_NAME

Value = TypeVar("Value")

FIRST_YEAR, LAST_YEAR = 1970, 2199


def need(section: Section, key: str, example: str) -> Entry:
    """Return the entry under ``key``; refuse its absence with an ``example``."""
    entry = section.get(key)
    if entry is None:
        refuse(section, f"{key!r} is missing; write {example}")
    return entry


def optional(section: Section, key: str, read: Callable[[Entry], Value], default: Value) -> Value:
    """Return what ``read`` makes of the entry under ``key``, or ``default`` without one."""
    entry = section.get(key)
    return default if entry is None else read(entry)


def as_section(entry: Entry) -> Section:
    """Return an entry that has to be keys with values."""
    if not isinstance(entry, Section):
        refuse(entry, "keys are needed here, such as {channel: email, template: check-in}")
    return entry


def as_list(entry: Entry, message: str) -> Items:
    """Return an entry that has to be a list with something in it."""
    if not isinstance(entry, Items):
        refuse(entry, message)
    if not entry.items:
        refuse(entry, f"this list is empty; {message}")
    return entry


def filled(entry: Entry) -> str:
    """Return the text of a single value."""
    if not isinstance(entry, Scalar):
        refuse(entry, "a single value is needed here")
    if not entry.text:
        refuse(entry, "a value is missing here")
    return entry.text


def choice(entry: Entry, known: Collection[str], *, later: Collection[str] = ()) -> str:
    """Return one of the ``known`` words; those in ``later`` are refused as not supported yet."""
    word = filled(entry)
    if word in later:
        refuse(entry, f"{word!r} is not supported yet; known here: {', '.join(known)}")
    if word not in known:
        refuse(entry, f"unknown word {word!r}{suggest(word, known)}")
    return word


def named(entry: Entry, pattern: str) -> str:
    """Return a name that matches ``pattern``."""
    name = filled(entry)
    if len(name) > MAX_NAME or re.fullmatch(pattern, name) is None:
        refuse(
            entry,
            f"{name!r} is no name; write up to {MAX_NAME} small letters, digits and hyphens",
        )
    return name


def number(entry: Entry, *, least: int, most: int) -> int:
    """Return a whole number from ``least`` to ``most``."""
    text = filled(entry)
    found = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else -1
    if not least <= found <= most:
        refuse(entry, f"write a whole number from {least} to {most}, not {text!r}")
    return found


def day(entry: Entry) -> date:
    """Return a day written as 2027-01-31, from 1970 to 2199."""
    text = filled(entry)
    try:
        found = date.fromisoformat(text)
    except ValueError:
        refuse(entry, f"write a day as 2027-01-31, not {text!r}")
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        refuse(entry, f"write a day from {FIRST_YEAR} to {LAST_YEAR}, not {text!r}")
    return found


def share(text: str) -> float:
    """Return the share written as ``0.05`` or ``5%``, or NaN if it is no number."""
    try:
        if text.endswith("%"):
            # In whole numbers first: 7% is 0.07, where 7 * 0.01 is not.
            return float(text.removesuffix("%").rstrip()) / 100
        return float(text)
    except ValueError:
        return math.nan


def duration(entry: Entry) -> timedelta:
    """Return a duration above zero and up to ten years."""
    return to_duration(entry, filled(entry))


def to_duration(entry: Entry, text: str) -> timedelta:
    """Return the duration that ``text``, a part of ``entry``, says."""
    try:
        found = parse_duration(text)
    except ValueError as error:
        refuse(entry, str(error))
    if not timedelta(0) < found <= MAX_DURATION:
        refuse(entry, f"{text!r} is out of range; a duration is above 0 and up to ten years")
    return found
