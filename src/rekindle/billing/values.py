"""Reads amounts and instants as billers write them, and writes what is the same of all cards."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from rekindle.billing.model import BilledFact, BilledPlan, SavedCard
from rekindle.vocabulary import Money

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
    """Return an amount in major units, of a whole number of minor ones.

    That is 500 yen, 5.00 dollars, 0.500 dinars.
    """
    return Decimal(str(minor)).scaleb(-_places(currency))


def round_minor(amount: Decimal, currency: str) -> Decimal:
    """Return an amount in whole minor units, a half of one as a whole one."""
    return amount.quantize(Decimal(1).scaleb(-_places(currency)), ROUND_HALF_UP)


def _places(currency: str) -> int:
    code = currency.lower()
    return 0 if code in WHOLE else 3 if code in THOUSANDS else 2


def read_before(at: datetime, count: int, unit: str) -> datetime:
    """Return so many days, weeks, months or years before; on the last day of a short month."""
    if unit in {"day", "week"}:
        return at - count * timedelta(days=7 if unit == "week" else 1)
    months = at.year * 12 + at.month - 1 - count * (12 if unit == "year" else 1)
    year, month = divmod(months, 12)
    day = min(at.day, calendar.monthrange(year, month + 1)[1])
    return at.replace(year=year, month=month + 1, day=day)


def read_instant(second: Any) -> datetime | None:
    """Return the instant that is written as seconds since 1970, None for none."""
    return None if second is None else datetime.fromtimestamp(int(second), UTC)


def tell_card(
    card: SavedCard, person: str, at: datetime, *, since: datetime, is_removed: bool
) -> BilledFact:
    """Return what is said at ``at`` of somebody's card: what is printed on it, and no number."""
    year, month = card.expires or (None, None)
    row = {
        "payment_method_id": card.id,
        "customer_id": person,
        "since": since,
        "brand": card.brand,
        "last_four": card.last4,
        "expiry_month": month,
        "expiry_year": year,
        "removed_at": at if is_removed else None,
    }
    return BilledFact("payment_methods", card.id, at, row)


def is_over_in_trial(ends: Any, trial_ends: Any) -> bool:
    """Return whether a subscription is over before its trial is, so that nothing was ever paid."""
    return ends is not None and trial_ends is not None and ends <= trial_ends


def join_plans(plans: Sequence[BilledPlan]) -> BilledPlan | None:
    """Return as one plan, called as the first, all that a subscription is for.

    None where it is not paid for together: in several rhythms, or in several currencies.
    """
    first = plans[0]
    if len(plans) == 1:
        return first
    terms = {(one.interval, one.interval_count, one.amount.currency) for one in plans}
    if len(terms) > 1:
        return None
    besides = sum((one.amount.amount for one in plans[1:]), Decimal(0))
    return replace(
        first,
        price_id="+".join(f"{one.price_id}*{one.quantity}" for one in plans),
        amount=Money(first.amount.amount + besides, first.amount.currency),
        besides=besides,
    )
