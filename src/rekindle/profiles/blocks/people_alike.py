"""People alike: what those who buy like the person have bought in the last month.

Alike is the cosine of two people's fading counts of products. Neighbours are looked for among
those who bought in the last 90 days, for the others have bought nothing of late. It meets more
of what people buy than the favourites do at most dates, and takes about six times as long, where
a template shows it. ``make bench ONLY=recommend`` has the figures.
"""

from __future__ import annotations

from datetime import timedelta

import ibis
import ibis.expr.types as ir

from rekindle.profiles.showing import LATELY, MOST, Block, Sales

ACTIVE = timedelta(days=90)
NEAREST = 100
FADES_IN_DAYS = 400.0
# What neighbours buy counts so much by itself, and what one bought oneself so much more.
THEIRS, OWN = 0.2, 1.0
# Sums of floats depend on their order, which is the engine's own.
DIGITS = 9


def rank_alike(sales: Sales) -> ir.Table:
    """Return what the nearest buy now, own products first, and what sells now behind it."""
    counts = _fading_counts(sales)
    mine = counts.semi_join(sales.people, "customer_id")
    active = sales.since(ACTIVE)
    active = active.filter(active.customer_id.notnull()).select("customer_id").distinct()
    others = counts.semi_join(active, "customer_id")
    others = others.select("product_id", other="customer_id", theirs="weight", other_norm="norm")
    pairs = mine.inner_join(others, "product_id")
    pairs = pairs.filter(pairs.customer_id != pairs.other)
    cosine = (pairs.weight * pairs.theirs).sum() / (pairs.norm.max() * pairs.other_norm.max())
    near = pairs.group_by("customer_id", "other").agg(cosine=cosine.round(DIGITS))
    order = ibis.window(group_by="customer_id", order_by=[ibis.desc("cosine"), "other"])
    near = near.mutate(place=ibis.row_number().over(order))
    near = near.filter(near.place < NEAREST).select("customer_id", "other", "cosine")
    lately = sales.since(LATELY)
    lately = lately.filter(lately.customer_id.notnull())
    lately = lately.select("product_id", other="customer_id").distinct()
    found = near.inner_join(lately, "other")
    found = found.group_by("customer_id", "product_id").agg(liked=found.cosine.sum())
    owned = mine.select("customer_id", "product_id").distinct().mutate(is_own=True)
    scored = found.left_join(owned, ["customer_id", "product_id"])
    times = scored.is_own.fill_null(False).ifelse(THEIRS + OWN, THEIRS)
    scored = scored.select("customer_id", "product_id", score=(scored.liked * times).round(DIGITS))
    return _or_else(scored, sales)


def _fading_counts(sales: Sales) -> ir.Table:
    """Return how often each customer bought each product, what is long ago counting less."""
    bought = sales.bought.filter(sales.bought.customer_id.notnull())
    age = ibis.literal(sales.on).delta(bought.ordered_on, unit="day").cast("float64")
    bought = bought.mutate(fading=(-age / FADES_IN_DAYS).exp())
    counts = bought.group_by("customer_id", "product_id").agg(
        weight=bought.fading.sum().round(DIGITS)
    )
    norms = counts.group_by("customer_id").agg(norm=(counts.weight * counts.weight).sum().sqrt())
    return counts.inner_join(norms, "customer_id")


def _or_else(found: ir.Table, sales: Sales) -> ir.Table:
    now = sales.buyers().order_by(ibis.desc("buyers"), "product_id").limit(4 * MOST)
    rest = sales.people.cross_join(now).anti_join(found, ["customer_id", "product_id"])
    rest = rest.select("customer_id", "product_id", score=rest.buyers.cast("float64") / 1e9)
    return found.union(rest)


BLOCK = Block(
    name="people_alike",
    meaning="What people who buy as they do have bought in the last 30 days, their own things "
    "first; a thousand people take seconds.",
    otherwise="what sells now",
    rank=rank_alike,
)
