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
    rows = theirs.mutate(second=theirs.ordered_at.epoch_seconds().cast("float64"))
    own = rows.group_by("customer_id", "product_id").agg(
        days=rows.ordered_at.date().nunique(),
        first=rows.second.min(),
        last=rows.second.max(),
    )
    own = own.filter(own.days >= FEWEST)
    gap = (own["last"] - own["first"]) / (own.days - 1).cast("float64")
    own = own.mutate(ratio=(ibis.literal(sales.at.timestamp()) - own["last"]) / gap)
    due = own.filter(own.ratio >= 1)
    due = due.semi_join(sales.since(STILL_SOLD), "product_id")
    return due.select("customer_id", "product_id", score=-due.ratio)


BLOCK = Block(
    name="refill_due",
    meaning="What they bought on three days or more and by their own rhythm have used up.",
    otherwise="nothing: leave its section out",
    rank=rank_refills,
)
