"""Your points: what somebody has to spend in each programme, as it was counted last."""

from __future__ import annotations

from datetime import timedelta

import ibis
import ibis.expr.types as ir

from rekindle.profiles.showing import Block, Sales

STILL_TRUE = timedelta(days=92)
"""An older balance is not shown: who spent them since would be promised points they lack."""


def tell_points(sales: Sales) -> ir.Table:
    """Return one row a person and programme in which they have points, the most first."""
    points = sales.facts.more["points"].semi_join(sales.people, "customer_id")
    # Of two cards of one person that were counted at once, the smaller: never more than there is.
    newest = ibis.window(
        group_by=[points.customer_id, points.source],
        order_by=[points.counted_at.desc(), points.points],
    )
    points = points.mutate(number=ibis.row_number().over(newest))
    start = ibis.literal(sales.at - STILL_TRUE, type="timestamp('UTC', 6)")
    held = points.filter((points.number == 0) & (points.points > 0) & (points.counted_at >= start))
    held = held.filter(held.run_out_on.isnull() | (held.run_out_on >= ibis.literal(sales.on)))
    return held.select(
        "customer_id",
        key=held.source,
        name=held.points.cast("string"),
        category=held.level,
        at=held.counted_at,
        until=held.run_out_on,
        score=held.points.cast("float64"),
    )


BLOCK = Block(
    name="your_points",
    meaning="Their points by the table `points`, one entry a source: `name` (how many), `category` "
    "(their level), `on` (when they were counted, within 92 days) and `until` (when they run out).",
    otherwise="nothing: leave its section out",
    tell=tell_points,
)
