"""How numbers, shares, money and times are written for people, one way everywhere.

Tables, pages, messages on a terminal and errors all write them here. JSON does not: it
has numbers and instants.
"""

from __future__ import annotations

import re
import shlex
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What no line of text has: controls, breaks, orders of direction, halves of characters.

Joiners are letters of Persian, Hindi and emoji, and no control.
"""

LONGEST_EVENT = 100
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_GAP = re.compile(r"[\W_]+")
_MARKS = {"EUR": "€", "GBP": "£", "USD": "$"}
_MANY = {
    "person": "people",
    "this": "these",
    "is": "are",
    "was": "were",
    "has": "have",
    "brings": "bring",
}


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: ``1 message``, ``2,000 messages``, ``3 people``."""
    return f"{count:,} {numbered(count, noun)}"


def numbered(count: int, word: str) -> str:
    """Return a word as it stands beside a count: ``is`` or ``are``."""
    return word if count == 1 else _MANY.get(word, f"{word}s")


def percent(share: float) -> str:
    """Return a share as a percentage: ``50 %``, ``12.2 %``, ``0.03 %``, ``−4 %``."""
    value = share * 100
    digits = 1 if abs(value) >= 0.1 or not value else 3
    text = f"{value:.{digits}f}".replace("-", "−")
    return f"{text.rstrip('0').rstrip('.')} %"


def times(factor: float) -> str:
    """Return how many times as much something is: ``2.4-fold``, ``−310-fold``."""
    text = f"{factor:,.{1 if abs(factor) < 100 else 0}f}-fold"
    return f"−{text[1:]}" if text.startswith("-") else text


def amount(value: Decimal | float, currency: str, *, digits: int = 2) -> str:
    """Return an amount of major units with its currency's mark: ``£2,690.00``."""
    number = f"{abs(value):,.{digits}f}"
    sign = "−" if value < 0 and number.strip("0.,") else ""
    return f"{sign}{_MARKS.get(currency, f'{currency} ')}{number}"


def moment(at: datetime, zone: ZoneInfo) -> str:
    """Return an instant by a zone's clock, to the minute; its table or line names the zone."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def day(at: datetime, zone: ZoneInfo) -> str:
    """Return the day an instant falls on in a zone."""
    return f"{at.astimezone(zone):%Y-%m-%d}"


def shell_word(text: str) -> str:
    """Return a text as a shell reads it as one word: in double quotes where those do."""
    quoted = shlex.quote(text)
    is_plain = quoted == text or set(text) & set('"$`\\!')
    return quoted if is_plain else f'"{text}"'


@lru_cache(maxsize=4096)
def event_name(text: str) -> str:
    """Return a name in snake case: ``Order Completed`` and ``orderCompleted`` are one.

    Empty if the text holds no letter or digit; cut at 100 characters.
    """
    return _GAP.sub("_", _CAMEL.sub(" ", text.strip())).strip("_").lower()[:LONGEST_EVENT]
