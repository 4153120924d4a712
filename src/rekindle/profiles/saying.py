"""How a value of a profile is written for people: money as money, shares as shares."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from rekindle.profiles.discovery import FAMILIES
from rekindle.wording import amount, moment, percent

NOTHING = "–"


def say_column(name: str, value: object, *, currency: str, zone: ZoneInfo) -> str:
    """Return the value of a profile column as text, an instant by the clock of ``zone``."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return moment(value, zone)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float | Decimal):
        return _say_number(name, value, currency)
    return str(value)


def _say_number(name: str, value: float | Decimal, currency: str) -> str:
    column = FAMILIES.by_column.get(name)
    if (column is not None and column.type == "money") or name.endswith("_value"):
        return amount(value, currency)
    if name.endswith("_share"):
        return percent(float(value))
    return f"{value:,.0f}" if name.endswith("_days") else f"{value:,.2f}"
