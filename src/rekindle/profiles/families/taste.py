"""Taste: the category a person spends most on.

Spending counts purchases only, so that a refund does not rewrite what someone likes.
Ties go to the category first in the alphabet, so the answer never flickers.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from rekindle.facts import MONEY, PURCHASE, Facts
from rekindle.profiles.model import Family, Layer, ProfileColumn


def build_category_spending(facts: Facts, bought: ir.Table) -> ir.Table:
    """Return ``customer_id``, ``category`` and ``amount`` a line of what was ``bought``.

    Beside them stand the columns of ``bought`` that are no key.
    """
    lines, products = facts.order_lines, facts.products
    bought = bought.filter(bought.customer_id.notnull())
    named = products.select("product_id", product_category=products.category)
    rows = lines.filter(lines.amount > 0).inner_join(bought, ["source", "order_id"])
    rows = rows.left_join(named, "product_id")
    rows = rows.mutate(category=ibis.coalesce(rows.category, rows.product_category))
    own = [name for name in bought.columns if name not in ("source", "order_id")]
    return rows.filter(rows.category.notnull()).select(*own, "category", "amount")


def join_taste(table: ir.Table, facts: Facts) -> ir.Table:
    """Add ``top_category`` and ``top_category_share`` to one row a customer."""
    orders = facts.orders
    bought = orders.filter(orders.kind == PURCHASE).select("source", "order_id", "customer_id")
    spending = build_category_spending(facts, bought)
    totals = spending.group_by("customer_id", "category").agg(spent=spending.amount.sum())
    best = _best(totals, ["customer_id"])
    return table.left_join(best, "customer_id").drop("customer_id_right")


def join_taste_over_time(timeline: ir.Table, facts: Facts) -> ir.Table:
    """Add taste as known at each ``valid_from`` to a timeline.

    Every order has a spell of its own, so what was spent at an instant belongs to the
    spell that begins there: running sums take the place of a join with all the past. Where
    a purchase ends a spell begins too, and takes off what was spent.
    """
    bought = facts.bought_orders().select(
        "source", "order_id", "customer_id", "ordered_at", "ended_at"
    )
    spending = build_category_spending(facts, bought)
    if facts.has_late_changes:
        ended = spending.filter(spending.ended_at.notnull())
        back = ended.mutate(ordered_at=ended.ended_at, amount=(-ended.amount).cast(MONEY))
        spending = spending.union(back)
    spells = timeline.select("customer_id", "valid_from")
    liked = spending.select("customer_id", "category").distinct()
    grid = spells.inner_join(liked, "customer_id")
    spent = spending.group_by("customer_id", "category", valid_from=spending.ordered_at).agg(
        amount=spending.amount.sum()
    )
    rows = grid.left_join(spent, ["customer_id", "category", "valid_from"])
    rows = rows.select("customer_id", "category", "valid_from", "amount")
    so_far = ibis.window(
        group_by=[rows.customer_id, rows.category], order_by=rows.valid_from, rows=(None, 0)
    )
    totals = rows.mutate(spent=rows.amount.sum().over(so_far))
    totals = totals.filter(totals.spent > 0)
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


FAMILY = Family(
    name="taste",
    meaning="The category a person spends most on.",
    columns=(
        ProfileColumn(
            "top_category",
            "text",
            "",
            "The category most was spent on; empty without categories.",
            place=280,
            is_covariate=True,
        ),
        ProfileColumn(
            "top_category_share",
            "number",
            "share 0–1",
            "Its share of spending with a category.",
            place=290,
        ),
    ),
    how=Layer(at_once=join_taste, over_time=join_taste_over_time),
    tables=("orders", "order_lines", "products"),
    is_known=lambda facts: facts.has_categories,
)
