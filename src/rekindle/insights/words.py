"""How figures are said: in the words and with the marks a reader expects.

Tables and pages speak through these, so that one figure looks the same everywhere.
"""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from rekindle import wording
from rekindle.insights.survival import Interval
from rekindle.insights.wire import Figure
from rekindle.vocabulary import Arm, Money, Reason, Tier, Unknown

UNKNOWN = "unknown"


def say_count(count: int) -> str:
    """Return a count with thousands apart."""
    return f"{count:,}"


def say_amount(amount: Figure, currency: str, *, digits: int = 2) -> str:
    """Return an amount of major units with its currency's mark, or that it is unknown."""
    if isinstance(amount, Unknown):
        return UNKNOWN
    return wording.amount(amount, currency, digits=digits)


def say_money(money: Money, *, digits: int = 0) -> str:
    """Return money with its currency's mark, rounded to whole units."""
    return say_amount(float(money.amount), money.currency, digits=digits)


def say_share(share: Figure, *, digits: int = 0) -> str:
    """Return a share as a percentage, or that it is unknown."""
    return UNKNOWN if isinstance(share, Unknown) else f"{share * 100:.{digits}f} %"


def say_points(difference: Figure) -> str:
    """Return a difference of shares in percentage points, or that it is unknown."""
    if isinstance(difference, Unknown):
        return UNKNOWN
    sign = "−" if difference < 0 else ""
    return f"{sign}{abs(difference) * 100:.1f} points"


def say_interval(share: Interval | Unknown) -> str:
    """Return the ends of an interval of shares as percentages."""
    if isinstance(share, Unknown):
        return UNKNOWN
    return f"{share.low * 100:.0f}–{share.high * 100:.0f} %"


def say_value(share: Interval | Unknown) -> str:
    """Return the middle of an interval of shares as a percentage."""
    return UNKNOWN if isinstance(share, Unknown) else say_share(share.value)


def say_expected(share: Interval | Unknown) -> str:
    """Return an expected share with the ends of its range: ``31 % (22–43 %)``."""
    return UNKNOWN if isinstance(share, Unknown) else f"{say_value(share)} ({say_interval(share)})"


def say_buyers(count: Interval | Unknown) -> str:
    """Return an expected number of buyers with the ends of its range: ``40 (28–55)``."""
    if isinstance(count, Unknown):
        return UNKNOWN
    return f"{count.value:,.0f} ({count.low:,.0f}–{count.high:,.0f})"


def say_days(days: Figure) -> str:
    """Return a number of days, rounded to whole ones."""
    return UNKNOWN if isinstance(days, Unknown) else f"{days:,.0f}"


def say_day(at: date | datetime, zone: str) -> str:
    """Return a day the way a letter is dated; of an instant, the day it is in a zone."""
    at = at.astimezone(ZoneInfo(zone)) if isinstance(at, datetime) else at
    return f"{at.day} {at:%B %Y}"


def say_word(word: Tier | Reason | Arm) -> str:
    """Return one of our words the way it is spoken."""
    return word.value.replace("_", " ")
