"""Goes with what you bought: what others put into one order with the person's latest things."""

from __future__ import annotations

from datetime import timedelta

import ibis
import ibis.expr.types as ir

from rekindle.profiles.showing import MOST, Block, Sales

HALF_A_YEAR = timedelta(days=182)
FEWEST = 3
"""Together in fewer orders is chance."""

# An order of hundreds of lines is a warehouse's, and says nothing of what goes together.
LARGEST = 60


def rank_companions(sales: Sales) -> ir.Table:
    """Return companions of the latest order by cosine, and bestsellers far behind them."""
    theirs = sales.theirs
    newest = theirs.group_by("customer_id").agg(newest_at=theirs.ordered_at.max())
    latest = theirs.inner_join(newest, "customer_id")
    latest = latest.filter(latest.ordered_at == latest.newest_at)
    latest = latest.select("customer_id", had="product_id").distinct()
    rows = sales.since(HALF_A_YEAR)
    sizes = rows.group_by("source", "order_id").agg(lines=rows.count())
    rows = rows.semi_join(sizes.filter(sizes.lines <= LARGEST), ["source", "order_id"])
    counts = rows.group_by("product_id").agg(orders=rows.count())
    with_it = rows.select("source", "order_id", had="product_id").semi_join(latest, "had")
    pairs = with_it.inner_join(rows.select("source", "order_id", "product_id"), _ONE_ORDER)
    pairs = pairs.filter(pairs.had != pairs.product_id)
    pairs = pairs.group_by("had", "product_id").agg(together=pairs.count())
    pairs = pairs.filter(pairs.together >= FEWEST)
    pairs = pairs.inner_join(counts.rename(had="product_id", had_in="orders"), "had")
    pairs = pairs.inner_join(counts, "product_id")
    cosine = pairs.together / (pairs.had_in * pairs.orders).cast("float64").sqrt()
    pairs = pairs.select("had", "product_id", cosine=cosine)
    found = latest.inner_join(pairs, "had")
    found = found.group_by("customer_id", "product_id").agg(score=found.cosine.sum())
    return _or_else(found, sales).anti_join(theirs, ["customer_id", "product_id"])


def _or_else(found: ir.Table, sales: Sales) -> ir.Table:
    """Return what was found, and what sells now behind it."""
    now = sales.buyers().order_by(ibis.desc("buyers"), "product_id").limit(4 * MOST)
    rest = sales.people.cross_join(now).anti_join(found, ["customer_id", "product_id"])
    rest = rest.select("customer_id", "product_id", score=rest.buyers.cast("float64") / 1e9)
    return found.union(rest)


_ONE_ORDER = ["source", "order_id"]

BLOCK = Block(
    name="goes_with",
    meaning="What others buy in one order with what they bought last.",
    otherwise="what sells now and they have not bought",
    rank=rank_companions,
)
