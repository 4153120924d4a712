"""Reads amounts as billers write them: whole numbers of the smallest unit of a currency."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

# https://docs.stripe.com/currencies: amounts of these have no minor unit, or a thousand.
WHOLE = frozenset(
    [
        "bif",
        "clp",
        "djf",
        "gnf",
        "jpy",
        "kmf",
        "krw",
        "mga",
        "pyg",
        "rwf",
        "vnd",
        "vuv",
        "xaf",
        "xof",
        "xpf",
    ]
)
THOUSANDS = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])


def read_minor(minor: Any, currency: str) -> Decimal:
    """Return an amount in major units: 500 yen, 5.00 dollars, 0.500 dinars."""
    code = currency.lower()
    places = 0 if code in WHOLE else 3 if code in THOUSANDS else 2
    return Decimal(str(minor)).scaleb(-places)
