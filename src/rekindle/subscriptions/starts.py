"""When somebody came to be subscribed, and what they paid from then on.

A stay that begins is a purchase like any: it ends journeys, and counts as a return.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from rekindle.facts import PURCHASE, Facts
from rekindle.subscriptions.days import local_day
from rekindle.subscriptions.definitions import OURS
from rekindle.subscriptions.departures import FOR_EVER
from rekindle.subscriptions.movements import build_deltas
from rekindle.subscriptions.standing import MRR, build_standing

BOOKED = ("known_in", "sold_in", "moved_in")


def build_starts(facts: Facts) -> ir.Table:
    """Return one row a stay, as it began: ``customer_id``, ``at``, ``source``, ``start_id``.

    Who had no subscription that pays has one, by our definition; a pause is part of a stay.
    ``start_id`` names the subscription it began with and the second, for one that is revived
    begins again.
    """
    rows = build_deltas(build_standing(facts, FOR_EVER, OURS))
    rows = rows.filter(rows.customer_id.notnull())
    second = rows["at"].epoch_seconds().cast("int64").cast("string")
    rows = rows.mutate(start_id=rows.subscription_id + "@" + second)
    # All of one instant happens at once: a plan that takes another's place begins no stay.
    came = rows.seat_delta > 0
    moments = rows.group_by("customer_id", "at").agg(
        change=rows.seat_delta.sum(),
        source=rows.source.min(where=came),
        start_id=rows.start_id.min(where=came),
    )
    until = ibis.window(
        group_by=moments.customer_id, order_by=moments["at"], preceding=None, following=0
    )
    moments = moments.mutate(seats=moments.change.sum().over(until))
    began = moments.filter((moments.seats > 0) & (moments.seats <= moments.change))
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
            order_id=ibis.literal("subscription:") + starts.start_id,
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
    rows = build_deltas(build_standing(facts, FOR_EVER, OURS))
    rows = rows.group_by("customer_id", "at").agg(delta=rows.delta.sum())
    whole = ibis.window(group_by=rows.customer_id, order_by=rows["at"])
    until = ibis.window(group_by=rows.customer_id, order_by=rows["at"], preceding=None, following=0)
    return rows.select(
        "customer_id",
        since_at=rows["at"],
        ends_at=rows["at"].lead().over(whole),
        mrr=rows.delta.sum().over(until).cast(MRR),
    )
