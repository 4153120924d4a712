"""Adds to a timeline what does not come from orders: the card, and the time before.

A customer who is known from a card but has not bought yet is a prospect until the first
order; the timeline gets a row for that time, so a replay sees the people a live run sees.
"""

from __future__ import annotations

from datetime import datetime

import ibis
import ibis.expr.types as ir

from rekindle.facts import Facts
from rekindle.profiles.tallies import INSTANT, build_cards

LONG_AGO = datetime(1900, 1, 1)
FAR_OFF = datetime(9999, 1, 1)


def build_presence(timeline: ir.Table, facts: Facts) -> ir.Table:
    """Return ``timeline`` with ``country`` and ``has_email``, and the time before orders.

    A card's ``created_at`` hides neither it nor its owner once there are orders.
    """
    if not facts.has_cards:
        return timeline.mutate(
            country=ibis.null().cast("string"), has_email=ibis.literal(False)
        )
    cards = build_cards(facts)
    held = timeline.left_join(cards, timeline.customer_id == cards.card_id).drop("card_id")
    held = held.mutate(has_email=ibis.coalesce(held.has_email, ibis.literal(False)))
    return ibis.union(held, _before_orders(held, facts).select(*held.columns))


def _before_orders(timeline: ir.Table, facts: Facts) -> ir.Table:
    """Return one row a card, valid from its creation to the first order."""
    first = timeline.group_by(first_id=timeline.customer_id).agg(
        first_at=timeline.valid_from.min()
    )
    created = facts.customers.group_by(card_id=facts.customers.customer_id).agg(
        created_at=facts.customers.created_at.min()
    )
    cards = build_cards(facts).left_join(created, "card_id").drop("card_id_right")
    rows = cards.left_join(first, cards.card_id == first.first_id)
    rows = rows.mutate(
        customer_id=rows.card_id,
        valid_from=ibis.coalesce(rows.created_at, _instant(LONG_AGO)),
        valid_to=ibis.coalesce(rows.first_at, _instant(FAR_OFF)),
    )
    blank = {
        name: (ibis.literal(0) if "count" in name or "value" in name else ibis.null()).cast(dtype)
        for name, dtype in timeline.schema().items()
        if name not in rows.columns
    }
    rows = rows.mutate(**blank)
    return rows.filter(rows.valid_from < rows.valid_to)


def _instant(at: datetime) -> ir.Value:
    return ibis.literal(at, type="timestamp").cast(INSTANT)
