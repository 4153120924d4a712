"""What each subscription brings a month, from when on, as one expression.

A subscription is a row of happenings: it began, its price changed, it paused, went on, ended.
After each of them stands what it brings from then on, and whether its customer is subscribed
by it. Only what was known before the date that is asked about counts.
"""

from __future__ import annotations

from datetime import datetime
from functools import reduce

import ibis
import ibis.expr.types as ir

from rekindle.facts import INSTANT, Facts, at_home
from rekindle.subscriptions.definitions import Definition, Pausing

MRR = "decimal(18, 4)"
MONTHS = {"day": 12 / 365, "week": 12 / 52, "month": 1.0, "quarter": 3.0, "year": 12.0}
"""How many months one payment lasts; a year has 52 weeks and 365 days."""
WORDS = {
    "day": ("day", "days", "daily", "d", "täglich"),
    "week": ("week", "weeks", "weekly", "w", "wöchentlich"),
    "month": ("month", "months", "monthly", "mo", "m", "monatlich"),
    "quarter": ("quarter", "quarters", "quarterly", "q", "vierteljährlich"),
    "year": ("year", "years", "yearly", "annual", "annually", "y", "yr", "jährlich"),
}
ONCE = ("one_off", "one_time", "once", "lifetime", "einmalig")
PLAIN = tuple(word for words in WORDS.values() for word in words) + ONCE
# What happens at one instant counts in this order.
BEGAN, CHANGED, PAUSED, RESUMED, ENDED = range(5)
KEY = ("source", "subscription_id")


def build_months(interval: ir.Value, count: ir.Value) -> ir.Value:
    """Return how many months one payment lasts; 0 for what is paid once, NULL where unknown.

    ``interval`` is text like ``year``, ``monthly`` or ``3 months``, ``count`` how many of them.
    """
    given = ibis.coalesce(interval, ibis.literal("month"))
    counted = ibis.coalesce(count, 1).cast("float64")
    is_plain = given.isin(PLAIN)
    # Patterns cost more than all else of a subscription, and engines work them out for every
    # row, whichever case it is. Nothing costs nothing, and most intervals are one plain word.
    said = ibis.ifelse(is_plain, ibis.null("string"), given).lower().strip()
    word = said.re_replace(r"^(every\s+)?[0-9]*\s*", "").re_replace(r"[\s-]+", "_")
    number = said.re_extract(r"([0-9]+)", 1).nullif("").cast("int64")
    spelt = _months_of(word) * ibis.coalesce(number, 1).cast("float64")
    return ibis.ifelse(is_plain, _months_of(given), spelt) * counted


def _months_of(word: ir.Value) -> ir.Value:
    """Return how many months a plain word means; 0 for what is paid once, NULL for others."""
    return ibis.cases(
        *((word.isin(words), MONTHS[unit]) for unit, words in WORDS.items()),
        (word.isin(ONCE), 0.0),
        else_=ibis.null("float64"),
    )


def build_mrr(rows: ir.Table) -> ir.Value:
    """Return what a row's price brings a month; 0 where that is nothing or cannot be known."""
    months = build_months(rows["interval"], rows.interval_count)
    paid = rows.amount.cast("float64") * ibis.coalesce(rows.quantity, 1).cast("float64")
    worked_out = ibis.ifelse(months > 0, paid / months, 0.0)
    mrr = ibis.coalesce(rows.mrr.cast("float64"), worked_out, 0.0)
    return ibis.greatest(mrr, 0.0).round(4).cast(MRR)


def _has_price(rows: ir.Table) -> ir.Value:
    """Return whether rows say what is paid a month, so that it can be read."""
    months = build_months(rows["interval"], rows.interval_count)
    return rows.mrr.notnull() | (rows.amount.notnull() & months.notnull())


def build_standing(facts: Facts, as_of: datetime, definition: Definition) -> ir.Table:
    """Return what each subscription brings after each of its happenings.

    Columns: ``customer_id``, the key, ``at``, ``kind``, ``noted_at`` (their order within an
    instant), ``plan`` (where the happening names one), ``mrr`` (of a month, from then on) and
    ``seat`` (1 where its customer is subscribed by it, else 0).
    """
    rows = _happenings(facts, ibis.literal(as_of, type=INSTANT))
    by = [rows[name] for name in KEY]
    order = [rows["at"], rows.kind, rows.noted_at]
    so_far = ibis.window(group_by=by, order_by=order, preceding=None, following=0)
    rows = rows.mutate(
        prices=rows.price.count().over(so_far),
        # Pauses may overlap: it rests while any of them lasts.
        pauses=rows.pauses.sum().over(so_far),
        # Over is over, whatever is noted of it later.
        has_ended=ibis.ifelse(rows.kind == ENDED, 1, 0).max().over(so_far),
    )
    of_price = ibis.window(group_by=[*(rows[name] for name in KEY), rows.prices])
    rows = rows.mutate(price=rows.price.max().over(of_price))
    rests = rows.pauses > 0
    runs = rows.has_ended == 0
    pays = rows.price > 0
    is_here = runs & (pays | (rows.is_trial if definition.has_trials else ibis.literal(False)))
    brings = runs & pays
    if definition.pausing is Pausing.LEAVES:
        is_here &= ~rests
    if definition.pausing is not Pausing.STAYS:
        brings &= ~rests
    nothing = ibis.literal(0).cast(MRR)
    return rows.select(
        "customer_id",
        *KEY,
        "at",
        "kind",
        "noted_at",
        "plan",
        mrr=ibis.ifelse(brings, rows.price, nothing),
        seat=ibis.ifelse(is_here, 1, 0),
    )


def build_unreadable(facts: Facts, as_of: datetime) -> ir.Table:
    """Return one row: of how many subscriptions and changes the price cannot be read.

    The one bring nothing, the others change nothing. Columns: ``no_price``, ``no_interval`` and
    ``example``, one of the unknown intervals. A change that names a plan alone says no price.
    """
    at = ibis.literal(as_of, type=INSTANT)
    begun, changes = facts.more["subscriptions"], facts.more["subscription_changes"]
    begun = begun.filter((begun.started_at < at) & ~ibis.coalesce(begun.is_trial, False))
    changes = changes.filter(changes.changed_at < at)
    bare = (begun.mrr.isnull(), changes.mrr.isnull() & changes.quantity.notnull())
    rows = _unread(begun, bare[0]).union(_unread(changes, bare[1]))
    return rows.aggregate(
        no_price=ibis.coalesce(rows.count(where=rows.is_bare), 0),
        no_interval=ibis.coalesce(rows.count(where=rows.is_odd), 0),
        example=rows["interval"].min(where=rows.is_odd),
    )


def _unread(rows: ir.Table, has_no_price: ir.Value) -> ir.Table:
    months = build_months(rows["interval"], rows.interval_count)
    return rows.select(
        "interval",
        is_bare=has_no_price & rows.amount.isnull(),
        is_odd=rows.mrr.isnull() & rows.amount.notnull() & months.isnull(),
    )


def _happenings(facts: Facts, at: ir.Value) -> ir.Table:
    """Return every happening of every subscription that was known before ``at``."""
    begun = facts.more["subscriptions"]
    begun = begun.filter(begun.started_at < at)
    begun = begun.mutate(is_trial=ibis.coalesce(begun.is_trial, False))
    nothing = ibis.literal(0).cast(MRR)
    price = ibis.ifelse(begun.is_trial, nothing, build_mrr(begun))
    ended = begun.filter(begun.ended_at < at)
    parts = [
        _as_happening(begun, begun.started_at, BEGAN, price=price, plan=begun.plan),
        # What is said to have ended before it began was never there.
        _as_happening(ended, ibis.greatest(ended.ended_at, ended.started_at), ENDED),
    ]
    # A number that is given again takes nothing along of the stay before it.
    anew = ibis.coalesce(begun.begun_count, 1) > 1
    of = begun.select(*KEY, "customer_id", "is_trial", since="started_at", is_anew=anew)
    changes = at_home(facts.more["subscription_changes"], begun, "subscription_id")
    changes = changes.filter(changes.changed_at < at).join(of, list(KEY))
    changes = changes.filter(~changes.is_anew | (changes.changed_at >= changes.since))
    # Of a change that names no price, or none that can be read, the price goes on.
    price = ibis.ifelse(_has_price(changes), build_mrr(changes), ibis.null(MRR))
    at_change = _not_before(changes, "changed_at")
    told = {"price": price, "plan": changes.plan, "noted_at": changes.changed_at}
    parts.append(_as_happening(changes, at_change, CHANGED, **told))
    pauses = at_home(facts.more["pauses"], begun, "subscription_id")
    pauses = pauses.filter(pauses.paused_at < at).join(of, list(KEY))
    pauses = pauses.filter(~pauses.is_anew | (pauses.paused_at >= pauses.since))
    parts.append(_as_happening(pauses, _not_before(pauses, "paused_at"), PAUSED, pauses=1))
    over = pauses.filter(pauses.resumed_at < at)
    parts.append(_as_happening(over, _not_before(over, "resumed_at"), RESUMED, pauses=-1))
    return reduce(lambda one, other: one.union(other), parts)


def _not_before(rows: ir.Table, name: str) -> ir.Value:
    """Return when something of a subscription counts: what was noted of earlier, as it begins."""
    return ibis.greatest(rows[name], rows.since)


def _as_happening(
    rows: ir.Table,
    at: ir.Value,
    kind: int,
    *,
    price: ir.Value | None = None,
    plan: ir.Value | None = None,
    noted_at: ir.Value | None = None,
    pauses: int = 0,
) -> ir.Table:
    return rows.select(
        *KEY,
        "customer_id",
        "is_trial",
        at=at,
        noted_at=at if noted_at is None else noted_at,
        kind=ibis.literal(kind, type="int64"),
        price=ibis.null(MRR) if price is None else price,
        plan=ibis.null("string") if plan is None else plan.nullif(""),
        pauses=ibis.literal(pauses, type="int64"),
    )
