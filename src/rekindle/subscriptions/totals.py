"""How each customer stands after each instant: the sum of all their subscriptions."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from rekindle.facts import Facts
from rekindle.subscriptions.definitions import OURS
from rekindle.subscriptions.departures import FOR_EVER
from rekindle.subscriptions.movements import build_deltas
from rekindle.subscriptions.standing import build_standing


def build_totals(facts: Facts) -> ir.Table:
    """Return one row a customer and instant, by our definition, of all that is known.

    Columns: ``customer_id``, ``at``, ``delta`` and ``seat_delta`` (what changed at the instant,
    which is one moment: a plan that takes another's place changes no seat), ``mrr`` and ``seats``
    after it, ``named`` (a plan that was begun or changed to), and of what added a seat ``source``
    and ``start_id``: the subscription and the second, for one that is revived begins again.
    """
    rows = build_deltas(build_standing(facts, FOR_EVER, OURS))
    second = rows["at"].epoch_seconds().cast("int64").cast("string")
    start_id, adds = rows.subscription_id + "@" + second, rows.seat_delta > 0
    rows = rows.group_by("customer_id", "at").agg(
        delta=rows.delta.sum(),
        seat_delta=rows.seat_delta.sum(),
        named=rows.plan.max(),
        source=rows.source.min(where=adds),
        start_id=start_id.min(where=adds),
    )
    so_far = ibis.window(
        group_by=rows.customer_id, order_by=rows["at"], preceding=None, following=0
    )
    return rows.mutate(seats=rows.seat_delta.sum().over(so_far), mrr=rows.delta.sum().over(so_far))
