"""Two definitions side by side: every subscriber on whom they differ, and what makes it so."""

from __future__ import annotations

from datetime import datetime

import ibis
import ibis.expr.types as ir

from rekindle.facts import INSTANT, Facts, at_home
from rekindle.subscriptions.definitions import Definition, Stride
from rekindle.subscriptions.departures import build_stays
from rekindle.subscriptions.movements import Movement, build_movements

COUNTED = ("churned", "returned", "subscribed", "mrr")


def build_differences(
    facts: Facts, as_of: datetime, one: Definition, other: Definition
) -> ir.Table:
    """Return one row for each subscriber on whom two definitions differ.

    Columns: ``customer_id``; ``churned`` and ``returned`` (how often), ``subscribed`` (0 or 1)
    and ``mrr`` by the first, and with ``other_`` before by the second; ``has_trial``,
    ``has_pause`` and ``is_short`` say what the customer has that the two treat differently:
    ``is_short`` is an absence or a stay that began and ended within one calendar month.
    """
    left = build_summary(facts, as_of, one)
    right = build_summary(facts, as_of, other)
    right = right.rename({f"other_{name}": name for name in right.columns})
    both = left.outer_join(right, left.customer_id == right.other_customer_id)
    both = both.select(
        customer_id=ibis.coalesce(both.customer_id, both.other_customer_id),
        **{
            name: ibis.coalesce(both[name], ibis.literal(0).cast(both[name].type()))
            for word in COUNTED
            for name in (word, f"other_{word}")
        },
    )
    differs = ibis.or_(*(both[name] != both[f"other_{name}"] for name in COUNTED))
    found = both.filter(differs)
    marks = _marks(facts, as_of)
    found = found.left_join(marks, found.customer_id == marks.of).drop("of")
    short = _short(facts, as_of, one if one.stride is Stride.DAY else other)
    found = found.left_join(short, found.customer_id == short.of)
    return found.select(
        "customer_id",
        *(name for word in COUNTED for name in (word, f"other_{word}")),
        has_trial=ibis.coalesce(found.has_trial, False),
        has_pause=ibis.coalesce(found.has_pause, False),
        is_short=found.of.notnull(),
    )


def build_summary(facts: Facts, as_of: datetime, definition: Definition) -> ir.Table:
    """Return each subscriber by one definition: ``churned``, ``returned``, ``subscribed``, ``mrr``.

    ``returned`` counts what the definition calls a return, which may be none at all.
    """
    stays = build_stays(facts, as_of, definition)
    of_stays = stays.group_by("customer_id").agg(
        churned=stays.left_on.count(),
        subscribed=ibis.ifelse(stays.left_on.isnull(), 1, 0).max(),
    )
    moved = build_movements(facts, as_of, definition)
    of_moves = moved.group_by(mover=moved.customer_id).agg(
        returned=moved.count(where=moved.movement == Movement.REACTIVATION.value),
        mrr=moved.amount.sum(),
    )
    joined = of_stays.left_join(of_moves, of_stays.customer_id == of_moves.mover)
    return joined.select("customer_id", "churned", "returned", "subscribed", "mrr")


def _marks(facts: Facts, as_of: datetime) -> ir.Table:
    at = ibis.literal(as_of, type=INSTANT)
    rows = facts.more["subscriptions"]
    rows = rows.filter(rows.started_at < at)
    rests = at_home(facts.more["pauses"], rows, "subscription_id")
    rests = rests.filter(rests.paused_at < at).select("source", "subscription_id").distinct()
    rests = rests.mutate(rested=ibis.literal(1))
    rows = rows.left_join(rests, ["source", "subscription_id"])
    return rows.group_by(of=rows.customer_id).agg(
        has_trial=ibis.coalesce(rows.is_trial, False).any(), has_pause=rows.rested.count() > 0
    )


def _short(facts: Facts, as_of: datetime, definition: Definition) -> ir.Table:
    stays = build_stays(facts, as_of, definition)
    came, left, back = (
        day.year() * 12 + day.month() for day in (stays.came_on, stays.left_on, stays.back_on)
    )
    short = stays.filter(ibis.coalesce(came == left, False) | ibis.coalesce(left == back, False))
    return short.select(of=short.customer_id).distinct()
