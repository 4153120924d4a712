"""Reads what became of retries, hour by hour where the payer lives, as ``hours`` needs it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.facts import Facts
from rekindle.subscriptions.declines import AttemptOutcome, DeclineKind
from rekindle.subscriptions.failures import build_attempts
from rekindle.subscriptions.hours import HourChoice, RetryCount, learn_hour

QUARTER_SECONDS = 900
MOST_NUMBER = 4
"""The fourth retry and all after it are alike."""


def learn_retry_hour(
    facts: Facts, run: Callable[[Any], pa.Table], *, as_of: datetime
) -> HourChoice:
    """Return the hour at which retries are best made, by those known before ``as_of``.

    Only tries of the card that failed softly before count: with another card somebody was there.
    """
    tried = _with_zone(_in_order(build_attempts(facts, as_of)), facts)
    retries = [
        RetryCount(
            at=_instant(one["quarter"]),
            hour=_hour(one["quarter"], one["timezone"], facts.zone),
            number=one["number"],
            code=one["code"],
            tries=one["tries"],
            paid=one["paid"],
        )
        for one in run(_count_retries(tried)).to_pylist()
    ]
    first: Counter[int] = Counter()
    for one in run(_count_first(tried)).to_pylist():
        first[_hour(one["quarter"], one["timezone"], facts.zone)] += one["tries"]
    return learn_hour(retries, first)


def find_zone(name: str | None, default: str) -> ZoneInfo:
    """Return a zone by its IANA name, that of the business where there is no such one."""
    return _named(name or default) or _named(default) or ZoneInfo("UTC")


@lru_cache(maxsize=1024)
def _named(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name.strip())
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _in_order(tried: ir.Table) -> ir.Table:
    """Add to each attempt how many came before it of its case, and what the last one was."""
    window = ibis.window(
        group_by=[tried.source, tried.case], order_by=[tried.known_at, tried.payment_id]
    )
    return tried.mutate(
        number=ibis.row_number().over(window),
        kind_before=tried.kind.lag().over(window),
        outcome_before=tried.outcome.lag().over(window),
        code_before=tried.decline_code.lag().over(window),
        card_before=tried.payment_method_id.lag().over(window),
        quarter=(tried.attempted_at.epoch_seconds() // QUARTER_SECONDS).cast("int64"),
    )


def _with_zone(tried: ir.Table, facts: Facts) -> ir.Table:
    people = facts.customers
    zones = people.group_by(of_customer=people.customer_id).agg(timezone=people.timezone.max())
    joined = tried.left_join(zones, tried.customer_id == zones.of_customer)
    return joined.drop("of_customer")


def _count_retries(tried: ir.Table) -> ir.Table:
    same_card = tried.payment_method_id == tried.card_before
    rows = tried.filter(
        (tried.number > 0)
        & (tried.kind_before == DeclineKind.SOFT.value)
        & (tried.outcome_before == AttemptOutcome.FAILED.value)
        & ibis.coalesce(same_card, True)
    )
    paid = ibis.ifelse(rows.outcome == AttemptOutcome.PAID.value, 1, 0)
    return rows.group_by(
        "quarter",
        "timezone",
        number=ibis.least(rows.number, MOST_NUMBER),
        code=ibis.coalesce(rows.code_before, "").lower().strip(),
    ).agg(tries=rows.count(), paid=paid.sum())


def _count_first(tried: ir.Table) -> ir.Table:
    rows = tried.filter(
        (tried.number == 0)
        & (tried.outcome == AttemptOutcome.FAILED.value)
        & (tried.kind == DeclineKind.SOFT.value)
    )
    return rows.group_by("quarter", "timezone").agg(tries=rows.count())


def _instant(quarter: int) -> datetime:
    return datetime.fromtimestamp(quarter * QUARTER_SECONDS, UTC)


def _hour(quarter: int, timezone: str | None, default: str) -> int:
    return _instant(quarter).astimezone(find_zone(timezone, default)).hour
