"""What stands around a lift: how often it may be read, what it adds up to, who comes back."""

from __future__ import annotations

from rekindle.insights.lifting.earnings import Earnings, Power, Range, add_up, find_earnings
from rekindle.insights.lifting.reading import ONCE, Readout, find_reading
from rekindle.insights.lifting.returning import follow_journey
from rekindle.insights.lifting.telling import tell_earnings, tell_power, tell_words

__all__ = [
    "ONCE",
    "Earnings",
    "Power",
    "Range",
    "Readout",
    "add_up",
    "find_earnings",
    "find_reading",
    "follow_journey",
    "tell_earnings",
    "tell_power",
    "tell_words",
]
