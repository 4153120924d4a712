"""Refill due: what somebody buys again and again, and by their own rhythm has used up."""

from __future__ import annotations

from datetime import timedelta

import ibis
import ibis.expr.types as ir

from rekindle.profiles.showing import Block, Sales

FEWEST = 3
"""Fewer days of buying a product make no rhythm."""

STILL_SOLD = timedelta(days=90)


def rank_refills(sales: Sales) -> ir.Table:
    """Return products that are due or over, what is due longest by its rhythm last."""
    theirs = sales.theirs
    own = theirs.group_by("customer_id", "product_id").agg(
        days=theirs.ordered_on.nunique(),
        first_on=theirs.ordered_on.min(),
        last_on=theirs.ordered_on.max(),
    )
    own = own.filter(own.days >= FEWEST)
    span = own.last_on.delta(own.first_on, unit="day").cast("float64")
    silence = ibis.literal(sales.on).delta(own.last_on, unit="day").cast("float64")
    own = own.mutate(ratio=silence * (own.days - 1).cast("float64") / span)
    due = own.filter(own.ratio >= 1)
    due = due.semi_join(sales.since(STILL_SOLD), "product_id")
    return due.select("customer_id", "product_id", score=-due.ratio)


BLOCK = Block(
    name="refill_due",
    meaning="What they bought on three days or more and by their own rhythm have used up.",
    otherwise="nothing: leave its section out",
    rank=rank_refills,
)
