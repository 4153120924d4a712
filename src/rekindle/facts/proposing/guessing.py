"""Guesses from sample values: is it a date and how is it written, a number, an address."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

DATE_FORMATS = (
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d/%m/%y %H:%M",
    "%m/%d/%y %H:%M",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%d-%m-%Y %H:%M:%S",
    "%d-%m-%Y %H:%M",
    "%d-%m-%Y",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%Y%m%d",
)
ENOUGH_SHARE = 0.9
EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
PLAIN_NUMBER = re.compile(r"^-?[£$€¥]?-?\d{1,3}(,\d{3})*(\.\d+)?\s*[€]?$|^-?[£$€¥]?\d+(\.\d+)?$")
COMMA_NUMBER = re.compile(r"^-?\d{1,3}(\.\d{3})*,\d+\s*[€]?$|^-?\d+,\d+\s*[€]?$")
WHOLE_NUMBER = re.compile(r"^-?\d+$")


@dataclass(frozen=True, slots=True)
class DateGuess:
    """How dates are written. ``format`` None means ISO 8601.

    ``is_ambiguous`` says that the day and the month could be the other way round.
    """

    format: str | None
    is_ambiguous: bool = False


def guess_date(values: Sequence[str]) -> DateGuess | None:
    """Return how nearly all of ``values`` are written as dates, or None."""
    if _share(values, _is_iso) >= ENOUGH_SHARE:
        return DateGuess(None)
    fitting = [form for form in DATE_FORMATS if _share(values, _fits(form)) >= ENOUGH_SHARE]
    if not fitting:
        return None
    exact = [form for form in fitting if _share(values, _fits(form)) == 1.0] or fitting
    swapped = exact[0].replace("%d", "%x").replace("%m", "%d").replace("%x", "%m")
    return DateGuess(exact[0], is_ambiguous=swapped != exact[0] and swapped in exact)


def is_number(values: Sequence[str]) -> bool:
    """Return whether nearly all of ``values`` are amounts, with a point or a comma."""
    return _share(values, lambda v: bool(PLAIN_NUMBER.match(v) or COMMA_NUMBER.match(v))) >= (
        ENOUGH_SHARE
    )


def has_decimal_comma(values: Sequence[str]) -> bool:
    """Return whether amounts are written 1.234,50."""
    commas = sum(1 for v in values if COMMA_NUMBER.match(v) and not PLAIN_NUMBER.match(v))
    points = sum(1 for v in values if "." in v and PLAIN_NUMBER.match(v))
    return commas > points


def is_email(values: Sequence[str]) -> bool:
    """Return whether nearly all of ``values`` are e-mail addresses."""
    return _share(values, lambda v: bool(EMAIL.match(v))) >= ENOUGH_SHARE


def _share(values: Sequence[str], test: object) -> float:
    fits = test if callable(test) else bool
    return sum(1 for value in values if fits(value)) / len(values) if values else 0.0


def _is_iso(value: str) -> bool:
    if WHOLE_NUMBER.match(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _fits(form: str) -> object:
    def test(value: str) -> bool:
        try:
            datetime.strptime(value, form)
        except ValueError:
            return False
        return True

    return test
