"""When somebody came to be subscribed, and what they paid from then on.

A stay that begins is a purchase like any: it ends journeys, and counts as a return.
"""

from __future__ import annotations

from datetime import datetime

import ibis
import ibis.expr.types as ir

from rekindle.facts import PURCHASE, Facts
from rekindle.subscriptions.days import local_day
from rekindle.subscriptions.standing import MRR
from rekindle.subscriptions.totals import build_totals

PREFIX = "subscription:"
BOOKED = ("known_in", "sold_in", "moved_in")


def name_start(subscription: str, at: datetime) -> str:
    """Return the id of the purchase that a stay is, as ``build_purchases`` has it."""
    return f"{PREFIX}{subscription}@{at.timestamp():.0f}"


def build_order_id(starts: ir.Table) -> ir.Value:
    """Return the ids of the purchases that these starts are; no order has such a one."""
    return ibis.literal(PREFIX) + starts.start_id


def build_starts(facts: Facts) -> ir.Table:
    """Return one row a stay, as it began: ``customer_id``, ``at``, ``source``, ``start_id``.

    Who had no subscription that pays has one, by our definition; a pause is part of a stay.
    """
    rows = build_totals(facts)
    began = rows.filter(
        rows.customer_id.notnull() & (rows.seats > 0) & (rows.seats <= rows.seat_delta)
    )
    return began.select("customer_id", "at", "source", "start_id")


def build_purchases(orders: ir.Table, facts: Facts) -> ir.Table:
    """Return the purchases among ``orders``, and beside them every stay that began.

    Both with ``source``, ``order_id``, ``customer_id``, ``ordered_at``, ``ordered_on`` and
    ``kind``, and the imports that had an order first, as a purchase and of another date; of a
    stay these are not kept.
    """
    columns = ("source", "order_id", "customer_id", "ordered_at", "ordered_on", "kind", *BOOKED)
    bought = orders.filter(orders.kind == PURCHASE).select(*columns)
    if not facts.has_subscriptions:
        return bought
    starts = build_starts(facts)
    return bought.union(
        starts.select(
            "source",
            "customer_id",
            order_id=build_order_id(starts),
            ordered_at=starts["at"],
            ordered_on=local_day(starts["at"], facts.zone),
            kind=ibis.literal(PURCHASE),
            **{name: ibis.null(bought[name].type()) for name in BOOKED},
        ).select(*columns)
    )


def build_rates(facts: Facts) -> ir.Table:
    """Return what customers pay over time: ``customer_id``, ``since_at``, ``ends_at``, ``mrr``.

    Spells of one customer follow each other; the last has no ``ends_at``.
    """
    rows = build_totals(facts)
    whole = ibis.window(group_by=rows.customer_id, order_by=rows["at"])
    return rows.select(
        "customer_id",
        since_at=rows["at"],
        ends_at=rows["at"].lead().over(whole),
        mrr=rows.mrr.cast(MRR),
    )
