"""Taste: the category a person spends most on.

Spending counts purchases only, so that a refund does not rewrite what someone likes.
Ties go to the category first in the alphabet, so the answer never flickers.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from rekindle.facts import Facts


def build_category_spending(facts: Facts) -> ir.Table:
    """Return ``customer_id``, ``ordered_at``, ``category`` and ``amount`` a bought line."""
    orders, lines, products = facts.orders, facts.order_lines, facts.products
    bought = orders.filter((orders.kind == "purchase") & orders.customer_id.notnull())
    bought = bought.select("source", "order_id", "customer_id", "ordered_at")
    named = products.select("product_id", product_category=products.category)
    rows = lines.filter(lines.amount > 0).inner_join(bought, ["source", "order_id"])
    rows = rows.left_join(named, "product_id")
    rows = rows.mutate(category=ibis.coalesce(rows.category, rows.product_category))
    return rows.filter(rows.category.notnull()).select(
        "customer_id", "ordered_at", "category", "amount"
    )


def join_taste(table: ir.Table, spending: ir.Table) -> ir.Table:
    """Add ``top_category`` and ``top_category_share`` to one row a customer."""
    totals = spending.group_by("customer_id", "category").agg(spent=spending.amount.sum())
    best = _best(totals, ["customer_id"])
    return table.left_join(best, "customer_id").drop("customer_id_right")


def join_taste_over_time(timeline: ir.Table, spending: ir.Table) -> ir.Table:
    """Add taste as known at each ``valid_from`` to a timeline."""
    spells = timeline.select("customer_id", "valid_from")
    rows = spells.inner_join(
        spending,
        [
            spells.customer_id == spending.customer_id,
            spending.ordered_at <= spells.valid_from,
        ],
    )
    totals = rows.group_by("customer_id", "valid_from", "category").agg(spent=rows.amount.sum())
    best = _best(totals, ["customer_id", "valid_from"])
    joined = timeline.left_join(best, ["customer_id", "valid_from"])
    return joined.drop("customer_id_right", "valid_from_right")


def _best(totals: ir.Table, keys: list[str]) -> ir.Table:
    ranking = ibis.window(group_by=keys, order_by=[totals.spent.desc(), totals.category])
    within = ibis.window(group_by=keys)
    ranked = totals.mutate(
        place=ibis.row_number().over(ranking), whole=totals.spent.sum().over(within)
    )
    first = ranked.filter(ranked.place == 0)
    return first.select(
        *keys,
        top_category=first.category,
        top_category_share=first.spent.cast("float64") / first.whole.cast("float64"),
    )
