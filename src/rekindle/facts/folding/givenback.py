"""Refunds that come in a file of their own, under the number of a sale that came before.

In one file such a row is of its order, and so it is across files: what the lake has sold under
the number stays, and gives back what the row says.
"""

from __future__ import annotations

from rekindle.facts.sql import literal

GIVEN_BACK = "given_back"
"""The sales of the lake that a file gives back by itself, as they are held."""

IS_OVER = "s.kind = 'cancelled'"
OF_THE_SALE = (
    *("customer_id", "ordered_at", "ordered_on", "kind", "gross", "discount"),
    *("cancelled_at", "sold_gross", "sold_discount", "discount_code"),
)
"""What stays as it was sold."""


def find_given_back(orders: str, source: str) -> str:
    """Return SQL for the sales of the lake of which a table ``orders`` holds a refund alone.

    One that was cancelled stays so: nothing more comes back of it.
    """
    return f"""
        select s.* from orders s join {orders} f on s.order_id = f.order_id
        where s.source = {literal(source)} and s.kind in ('purchase', 'cancelled')
            and f.kind = 'refund' and f.gross = 0 and f.currency = s.currency"""


def give_back(orders: str) -> str:
    """Return SQL for a table ``orders``, rows of ``GIVEN_BACK`` as the sales that they give back.

    A refund that is no newer than what is known of the sale is part of that: exports overlap.
    """
    adds = "(s.refund = 0 or f.ordered_at > s.refunded_at)"
    both, known = "s.refund + f.refund", "greatest(s.refund, f.refund)"
    taken = {
        **{name: f"s.{name}" for name in OF_THE_SALE},
        "refund": f"case when {IS_OVER} then s.refund when {adds} then {both} else {known} end",
        # A file that gives back in several parts is dated by the first and the last of them.
        "refunded_at": f"case when {IS_OVER} then s.refunded_at "
        "else greatest(f.ordered_at, f.refunded_at, s.refunded_at) end",
    }
    columns = ", ".join(
        f"case when s.order_id is null then f.{name} else {value} end as {name}"
        for name, value in taken.items()
    )
    return f"""
        select f.* replace ({columns})
        from {orders} f left join {GIVEN_BACK} s on f.order_id = s.order_id"""
