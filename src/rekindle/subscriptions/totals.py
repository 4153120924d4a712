"""How each customer stands after each instant: the sum of all their subscriptions."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from rekindle.facts import Facts
from rekindle.subscriptions.definitions import OURS
from rekindle.subscriptions.departures import FOR_EVER
from rekindle.subscriptions.movements import build_deltas
from rekindle.subscriptions.standing import KEY, build_standing


def build_totals(facts: Facts) -> ir.Table:
    """Return one row a customer and instant, by our definition, of all that is known.

    Columns: ``customer_id``, ``at``, ``delta`` and ``seat_delta`` (what changed at the instant,
    which is one moment: a plan that takes another's place changes no seat), ``mrr`` and ``seats``
    after it, ``named`` (a plan that was begun or changed to), and of what added a seat ``source``,
    ``subscription_id``, ``kind`` and ``turn``: how often it had added one by then.
    """
    rows = build_deltas(build_standing(facts, FOR_EVER, OURS))
    adds = rows.seat_delta > 0
    so_far = ibis.window(
        group_by=[rows[name] for name in KEY],
        order_by=[rows["at"], rows.kind],
        preceding=None,
        following=0,
    )
    rows = rows.mutate(turn=ibis.ifelse(adds, 1, 0).sum().over(so_far))
    # One row of several that begin at one instant, the same one whatever the engine.
    name = rows.subscription_id + "@" + rows.source
    first = {one: rows[one].argmin(name, where=adds) for one in (*KEY, "kind", "turn")}
    rows = rows.group_by("customer_id", "at").agg(
        delta=rows.delta.sum(),
        seat_delta=rows.seat_delta.sum(),
        named=rows.plan.max(),
        **first,
    )
    so_far = ibis.window(
        group_by=rows.customer_id, order_by=rows["at"], preceding=None, following=0
    )
    return rows.mutate(seats=rows.seat_delta.sum().over(so_far), mrr=rows.delta.sum().over(so_far))
