"""Brings the rows of one order together before they are judged and folded.

Some exports say what holds for the whole order in its first row alone, and some list a
sale and what was given back of it under one number.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import duckdb

from rekindle.facts.casting import build_given, build_text
from rekindle.facts.contracts import ORDER_LINES, ORDERS, Contract
from rekindle.facts.sources import Raw
from rekindle.facts.sql import quoted

# The cells of a row of order lines that are not filled. The others hold for the whole order.
OF_THE_LINE = frozenset(
    {
        "order_id",
        "product_id",
        "description",
        "category",
        "quantity",
        "unit_price",
        "amount",
        "line_discount",
        # Said of the order, in its first row: folding takes them from there.
        "status",
        "discount",
        "discount_code",
        "refund",
        "refunded_at",
        "cancelled_at",
    }
)
OF_A_LINE = ("quantity", "unit_price", "amount")
OF_THE_ORDER = ("ordered_at", "currency")


def has_parts(
    con: duckdb.DuckDBPyConnection, raw: Raw, contract: Contract, chosen: Mapping[str, str]
) -> bool:
    """Return whether some row of an order may be one that leaves blank what another says."""
    if contract not in (ORDERS, ORDER_LINES) or "order_id" not in chosen:
        return False
    number = build_text(raw, chosen["order_id"])
    if contract is ORDERS:
        query = f"select 1 from ({raw.relation}) group by {number} having count({number}) > 1"
    else:
        cells = (chosen[name] for name in (*OF_THE_ORDER, *OF_A_LINE) if name in chosen)
        blank = " or ".join(f"{build_given(raw, cell)} is null" for cell in cells)
        query = f"select 1 from ({raw.relation}) where {number} is not null and ({blank})"
    return bool(con.execute(f"{query} limit 1").fetchall())


def build_filled(
    rows: str, contract: Contract, chosen: Collection[str], given: Mapping[str, str]
) -> str:
    """Return SQL over typed ``rows`` in which a blank cell holds what its order says.

    That is what the first row says that has a word on it; a row of money given back has the
    last. ``given`` names the columns that hold cells as they were written. ``is_bare`` tells
    a row of order lines that is none: it has no cell of a line, and its order has others that
    do.
    """
    own = OF_THE_LINE if contract is ORDER_LINES else frozenset({"order_id"})
    names = [c.name for c in contract.inputs if c.name in chosen and c.name not in own]
    cells = [(quoted(name), quoted(given.get(name, name))) for name in names]
    cells += [(as_given, as_given) for cell, as_given in cells if as_given != cell]
    filled = ", ".join(
        f"case when order_id is null or {blank} is not null then {cell} "
        f"else first_value({cell} ignore nulls) over parts end as {cell}"
        for cell, blank in cells
    )
    if contract is ORDERS:
        order, bare = "coalesce(gross < 0, false), line", "false"
    else:
        order = "line"
        worth = "coalesce(amount, unit_price) is not null"
        bare = (
            "quantity is null and unit_price is null and amount is null and product_id is null "
            f"and order_id is not null and bool_or({worth}) over parts"
        )
    return (
        f"select * replace ({filled}), {bare} as is_bare from ({rows}) window parts as "
        f"(partition by order_id order by {order} "
        "rows between unbounded preceding and unbounded following)"
    )


def build_parts_marked() -> str:
    """Return SQL for ``checked`` orders with ``is_part``: the row is no order of its own.

    Such is money given back: a negative amount, or a row that says so beside a sale of the
    same number. A positive one that stands alone is an order that was refunded.
    """
    return """
        select * exclude (is_back), gross < 0 or (is_back and bool_or(gross >= 0 and not is_back)
            over (partition by order_id)) as is_part
        from (select *, coalesce(state in ('refund', 'refunded'), false) as is_back from checked)"""


def build_parts_joined() -> str:
    """Return SQL for marked ``checked`` in which what was given back stands beside its sale.

    Of a number that has no sale, the rows of money given back are one, from the first to the last.
    """
    return """
        with back as (
            select order_id, sum(abs(gross)) as amount, max(ordered_at) as last_at,
                min(ordered_at) as first_at, min(line) as first_line
            from checked where is_part group by order_id)
        select m.* exclude (is_part) replace (
            case when is_part then -b.amount else gross end as gross,
            case when is_part then b.first_at else ordered_at end as ordered_at,
            case when b.amount is null or is_part then refund
                else greatest(abs(coalesce(refund, 0)), b.amount) end as refund,
            case when b.amount is null then refunded_at
                when is_part then case when b.last_at > b.first_at then b.last_at
                    else refunded_at end
                else coalesce(refunded_at, b.last_at) end as refunded_at)
        from checked m left join back b using (order_id)
        where not is_part or (line = first_line and order_id not in (
            select order_id from checked where not is_part))"""
