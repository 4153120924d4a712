"""How figures are written as JSON: numbers where known, else the reason why not.

Scripts read these keys; an unknown is an object with one key, so that nobody takes it
for a number.
"""

from __future__ import annotations

from typing import Protocol

from rekindle.insights.survival import Interval
from rekindle.vocabulary import Money, Unknown

VERSION = 1

Figure = float | Unknown
Json = dict[str, object]


class Writable(Protocol):
    """What writes itself as JSON values."""

    def to_json(self) -> Json:
        """Return it as JSON values."""


def write_told(found: Writable | Unknown) -> Json:
    """Return something as JSON values, or why there is nothing to be said."""
    return write_unknown(found) if isinstance(found, Unknown) else found.to_json()


def write_figure(figure: Figure, digits: int = 4) -> object:
    """Return a number rounded to ``digits``, or ``{"unknown": reason}``."""
    return write_unknown(figure) if isinstance(figure, Unknown) else round(figure, digits)


def write_money(money: Money) -> float:
    """Return an amount in major units, rounded to two decimals."""
    return round(float(money.amount), 2)


def write_interval(share: Interval | Unknown) -> Json:
    """Return ``share``, ``low`` and ``high`` in 0-1, or ``unknown``."""
    if isinstance(share, Unknown):
        return write_unknown(share)
    return {
        "share": round(share.value, 4),
        "low": round(share.low, 4),
        "high": round(share.high, 4),
    }


def write_unknown(unknown: Unknown) -> Json:
    """Return the reason under its key."""
    return {"unknown": unknown.reason}
