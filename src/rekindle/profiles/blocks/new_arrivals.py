"""New arrivals: what was first sold in the last 60 days, in the person's own category first."""

from __future__ import annotations

from datetime import timedelta

import ibis
import ibis.expr.types as ir

from rekindle.profiles.showing import Block, Sales, find_liked

NEW = timedelta(days=60)
# Above any number of buyers: the own category comes first.
OWN = 1e9


def rank_arrivals(sales: Sales) -> ir.Table:
    """Return new products that a person has not bought."""
    bought, theirs = sales.bought, sales.theirs
    start = ibis.literal(sales.at - NEW, type="timestamp('UTC', 6)")
    first = bought.group_by("product_id").agg(
        first_at=bought.ordered_at.min(),
        category=bought.category.max(),
        sold=bought.order_id.nunique(),
    )
    opened = bought.aggregate(at=bought.ordered_at.min())
    # In a history that is younger itself, everything would be new.
    new = first.filter(first.first_at >= start).cross_join(opened)
    new = new.filter(new["at"] < start).drop("at")
    rows = sales.people.cross_join(new).left_join(find_liked(theirs), "customer_id")
    is_own = (rows.category == rows.liked).fill_null(False)
    ranked = rows.select(
        "customer_id",
        "product_id",
        score=is_own.ifelse(OWN, 0.0) + rows.sold.cast("float64"),
    )
    return ranked.anti_join(theirs, ["customer_id", "product_id"])


BLOCK = Block(
    name="new_arrivals",
    meaning="What was first sold in the last 60 days, in their favourite category first.",
    otherwise="new products of other categories; nothing where none is new",
    rank=rank_arrivals,
)
