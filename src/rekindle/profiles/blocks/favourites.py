"""Your favourites again: what somebody bought most often, weighed by what sells now.

A product nobody bought of late is likely gone, so how often one bought it is multiplied by
the logarithm of how many buy it now; for whoever bought little, what sells now follows.
``make bench ONLY=recommend`` has the figures.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from rekindle.profiles.showing import MOST, Block, Sales

# What a product weighs that one has not bought, in purchases.
UNBOUGHT = 0.2


def rank_favourites(sales: Sales) -> ir.Table:
    """Return own products and what sells now, for each person."""
    now = sales.buyers()
    popular = now.order_by(ibis.desc("buyers"), "product_id").limit(4 * MOST)
    theirs = sales.theirs
    own = theirs.group_by("customer_id", "product_id").agg(times=theirs.count().cast("float64"))
    rest = sales.people.cross_join(popular.select("product_id")).mutate(times=ibis.literal(0.0))
    rest = rest.anti_join(own, ["customer_id", "product_id"])
    both = own.union(rest.select(*own.columns))
    rows = both.left_join(now, "product_id")
    buyers = rows.buyers.fill_null(0).cast("float64")
    weight = (rows.times + UNBOUGHT) * (buyers + 1).ln()
    # What nobody buys now is left to how often it was bought, far behind all that sells.
    return rows.select("customer_id", "product_id", score=weight + rows.times / 1e6)


BLOCK = Block(
    name="favourites",
    meaning="What they bought most often and others still buy.",
    otherwise="what sells now",
    rank=rank_favourites,
)
