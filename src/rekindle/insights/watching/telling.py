"""What the watch found, as a table and as values for scripts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date

from rekindle.insights.tables import TextTable
from rekindle.insights.watching.judging import JudgedCount
from rekindle.insights.wire import VERSION, Json, write_unknown
from rekindle.insights.words import UNKNOWN, say_count
from rekindle.vocabulary import Unknown


def watch_tables(found: Sequence[JudgedCount]) -> tuple[TextTable, ...]:
    """Return one table: each count, what is usual, and what needs a look."""
    reasons = dict.fromkeys(
        f"Unknown: {one.usual.reason}." for one in found if isinstance(one.usual, Unknown)
    )
    return (
        TextTable(
            "Is everything as usual?",
            ("count", "day", "so many", "usual", "from – to", ""),
            tuple(_row(one) for one in found),
            (
                *(f"{one.words}." for one in found if one.is_unusual),
                *reasons,
                "Usual: for that weekday, by the eight weeks before. Entries are of a week.",
            ),
        ),
    )


def write_watch(found: Sequence[JudgedCount], at: date) -> Json:
    """Return what was found as JSON values; what cannot be judged carries ``unknown``."""
    return {
        "version": VERSION,
        "on": at.isoformat(),
        "unusual": sum(one.is_unusual for one in found),
        "counts": [_write(one) for one in found],
    }


def _row(one: JudgedCount) -> tuple[str, ...]:
    word = "look" if one.is_unusual else "as usual"
    head = (one.name, one.on.isoformat(), say_count(one.count))
    if isinstance(one.usual, Unknown):
        return (*head, UNKNOWN, "", "look" if one.is_unusual else "")
    high = "any" if math.isinf(one.usual.high) else f"{one.usual.high:,.0f}"
    return (*head, f"{one.usual.expected:,.0f}", f"{one.usual.low:,.0f} – {high}", word)


def _write(one: JudgedCount) -> Json:
    told: Json = {
        "name": one.name,
        "on": one.on.isoformat(),
        "count": one.count,
        "is_unusual": one.is_unusual,
        "words": one.words,
    }
    if isinstance(one.usual, Unknown):
        return told | {"usual": write_unknown(one.usual)}
    high = None if math.isinf(one.usual.high) else round(one.usual.high, 1)
    return told | {
        "usual": {
            "expected": round(one.usual.expected, 1),
            "low": round(one.usual.low, 1),
            "high": high,
        }
    }
