"""Price drops: what somebody bought and would pay less for today.

A drop that is none costs trust. So the price then is the lowest that can be meant and the
price now the highest: the newest of the price list, or else the most that anybody was
asked lately, and never less than the catalogue says.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from rekindle.profiles.showing import LATELY, Block, Sales

LEAST = 0.05
"""A smaller share is no news, and may be a price that was rounded."""


def rank_drops(sales: Sales) -> ir.Table:
    """Return products with ``price`` and ``was``, those that fell by the largest share first."""
    then = _then(sales)
    now = sales.listed.outer_join(_sold_now(sales), "product_id")
    now = now.select(
        now_id=ibis.coalesce(now.product_id, now.product_id_right),
        listed=now.listed,
        is_listed=now.is_listed.fill_null(False),
        asked=now.asked,
    )
    rows = then.inner_join(now, then.product_id == now.now_id)
    told = sales.facts.products.select(told_id="product_id", told="price")
    rows = rows.left_join(told, rows.product_id == told.told_id)
    floor = ibis.coalesce(rows.told, rows.asked)
    rows = rows.mutate(
        price=rows.is_listed.ifelse(rows.listed, ibis.greatest(rows.asked, floor)),
    )
    rows = rows.filter((rows.price > 0) & (rows.was > 0))
    fell = (rows.was.cast("float64") - rows.price.cast("float64")) / rows.was.cast("float64")
    rows = rows.mutate(score=fell)
    return rows.filter(rows.score >= LEAST).select(
        "customer_id", "product_id", "score", "price", "was"
    )


def _then(sales: Sales) -> ir.Table:
    """Return what each person's products cost when they last bought them: the least that is said.

    That is the least they paid for one on that day, or less where the price list had less.
    """
    lines = sales.facts.order_lines
    lines = lines.filter((lines.quantity > 0) & (lines.amount > 0) & (lines.unit_price > 0))
    lines = lines.select("source", "order_id", "product_id", "unit_price")
    rows = sales.theirs.inner_join(lines, ["source", "order_id", "product_id"])
    own = ibis.window(group_by=[rows.customer_id, rows.product_id])
    rows = rows.mutate(
        last_at=rows.ordered_at.max().over(own), last_on=rows.ordered_on.max().over(own)
    )
    rows = rows.filter(rows.ordered_on == rows.last_on)
    paid = rows.group_by("customer_id", "product_id").agg(
        paid=rows.unit_price.min(), last_at=rows.last_at.max()
    )
    prices = sales.facts.more["prices"].select(list_id="product_id", since="since", listed="price")
    held = paid.left_join(prices, [paid.product_id == prices.list_id, prices.since <= paid.last_at])
    newest = ibis.window(
        group_by=[held.customer_id, held.product_id],
        order_by=[held.since.desc(nulls_first=False), held.listed.asc(nulls_first=False)],
    )
    held = held.mutate(number=ibis.row_number().over(newest))
    held = held.filter(held.number == 0)
    listed = (held.listed > 0).fill_null(False).ifelse(held.listed, held.paid)
    return held.select("customer_id", "product_id", was=ibis.least(held.paid, listed))


def _sold_now(sales: Sales) -> ir.Table:
    lately = sales.since(LATELY).select("source", "order_id", "product_id")
    lines = sales.facts.order_lines.select("source", "order_id", "product_id", "unit_price")
    rows = lines.semi_join(lately, ["source", "order_id", "product_id"])
    return rows.group_by("product_id").agg(asked=rows.unit_price.max())


BLOCK = Block(
    name="price_drops",
    meaning="What they bought and costs at least 5 % less now, by the table `prices`, or else by "
    "what was asked for it in the last 30 days: `price`, and `was` at their last purchase.",
    otherwise="nothing: leave its section out",
    rank=rank_drops,
)
