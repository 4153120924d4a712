"""Which daily counts are not as usual, and which running journeys let nobody in."""

from __future__ import annotations

from rekindle.insights.watching.judging import (
    DAYS_NEEDED,
    HISTORY_DAYS,
    Daily,
    Direction,
    JudgedCount,
    Usual,
    judge_day,
    judge_entries,
)
from rekindle.insights.watching.telling import watch_tables, write_watch

__all__ = [
    "DAYS_NEEDED",
    "HISTORY_DAYS",
    "Daily",
    "Direction",
    "JudgedCount",
    "Usual",
    "judge_day",
    "judge_entries",
    "watch_tables",
    "write_watch",
]
