"""Bestsellers: what most people bought in the last 30 days, and before where that is little."""

from __future__ import annotations

from datetime import timedelta

import ibis
import ibis.expr.types as ir

from rekindle.profiles.showing import MOST, Block, Sales

A_YEAR = timedelta(days=365)


def rank_bestsellers(sales: Sales) -> ir.Table:
    """Return the same list for each person."""
    year, now = sales.buyers(A_YEAR), sales.buyers()
    rows = year.left_join(now.rename(lately="buyers"), "product_id")
    score = rows.lately.fill_null(0).cast("float64") + rows.buyers.cast("float64") / 1e9
    best = rows.select("product_id", score=score)
    best = best.order_by(ibis.desc("score"), "product_id").limit(MOST)
    return sales.people.cross_join(best)


BLOCK = Block(
    name="bestsellers",
    meaning="What most people bought in the last 30 days.",
    otherwise="what sold in the last year; nothing in a shop that sold nothing",
    rank=rank_bestsellers,
)
