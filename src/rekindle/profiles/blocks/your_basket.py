"""Your basket: what somebody put together and has not bought.

It is shown as long as all that is known says that it waits: the newest statement counts, an
order with any of its products ends it, and so does one of which nobody says what was in it.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from rekindle.facts import BASKETS, EMPTY_BASKET
from rekindle.profiles.showing import Block, Sales

NO_SALE = ("refund", "pending")
"""Orders of these kinds took nothing out of a basket: given back, or begun and not placed."""


def rank_basket(sales: Sales) -> ir.Table:
    """Return the products of each person's basket, what was put in last first."""
    start = ibis.literal(sales.at - sales.basket_lasts, type="timestamp('UTC', 6)")
    rows = sales.facts.more[BASKETS.table].semi_join(sales.people, "customer_id")
    rows = rows.filter(rows.changed_at >= start)
    rows = rows.mutate(
        quantity=ibis.coalesce(rows.quantity, ibis.literal(1).cast(rows.quantity.type())),
        is_whole=ibis.coalesce(rows.is_whole, True),
    )
    held = _count(_since_whole(_since_emptied(rows, _find_ends(sales, rows, start))))
    return _price(sales, held)


def _find_ends(sales: Sales, rows: ir.Table, start: ir.Value) -> ir.Table:
    """Return ``customer_id`` and ``emptied_at``: the last order that took a basket along.

    An order that names its day alone may have come at any time of it.
    """
    orders = sales.facts.orders
    placed = orders.filter(orders.kind.notin(NO_SALE) & orders.customer_id.notnull())
    placed = placed.filter(placed.ordered_at >= start - ibis.interval(days=1))
    placed = placed.semi_join(sales.people, "customer_id")
    has_day_alone = (placed.ordered_at.minute() % 15 == 0) & (placed.ordered_at.second() == 0)
    placed = placed.select(
        "source",
        "order_id",
        "customer_id",
        ended_at=has_day_alone.ifelse(placed.ordered_at + ibis.interval(days=1), placed.ordered_at),
    )
    lines = sales.facts.order_lines.select("source", "order_id", "product_id")
    bought = placed.left_join(lines, ["source", "order_id"])
    put_in = rows.group_by(who="customer_id", what="product_id").agg(first_at=rows.changed_at.min())
    met = bought.left_join(
        put_in, [bought.customer_id == put_in.who, bought.product_id == put_in.what]
    )
    met = met.filter(met.product_id.isnull() | (met.first_at <= met.ended_at))
    return met.group_by("customer_id").agg(emptied_at=met.ended_at.max())


def _since_emptied(rows: ir.Table, ends: ir.Table) -> ir.Table:
    own = ibis.window(group_by=rows.customer_id)
    is_nothing = (rows.product_id == EMPTY_BASKET) & (rows.quantity == 0)
    rows = rows.mutate(
        nothing_at=is_nothing.ifelse(rows.changed_at, ibis.null(rows.changed_at.type()))
        .max()
        .over(own)
    )
    ends = ends.select("emptied_at", buyer_id="customer_id")
    rows = rows.left_join(ends, rows.customer_id == ends.buyer_id)
    return rows.filter(
        (rows.emptied_at.isnull() | (rows.changed_at > rows.emptied_at))
        & (rows.nothing_at.isnull() | (rows.changed_at > rows.nothing_at))
    )


def _since_whole(rows: ir.Table) -> ir.Table:
    """Return the newest whole statement, and what was put in and taken out since."""
    own = ibis.window(group_by=rows.customer_id)
    whole_at = rows.is_whole.ifelse(rows.changed_at, ibis.null(rows.changed_at.type()))
    rows = rows.mutate(whole_at=whole_at.max().over(own))
    is_after = rows.whole_at.isnull() | (rows.changed_at > rows.whole_at)
    return rows.filter(is_after | (rows.is_whole & (rows.changed_at == rows.whole_at)))


def _count(rows: ir.Table) -> ir.Table:
    """Return one row a product that is left, as it was said last, with its ``quantity``."""
    own = ibis.window(group_by=[rows.customer_id, rows.product_id])
    is_none = (rows.quantity == 0).ifelse(rows.changed_at, ibis.null(rows.changed_at.type()))
    rows = rows.mutate(none_at=is_none.max().over(own))
    rows = rows.filter(rows.none_at.isnull() | (rows.changed_at > rows.none_at))
    own = ibis.window(group_by=[rows.customer_id, rows.product_id])
    # Told twice of one instant, under two ids or by two sources, there are no more of it.
    nothing = ibis.literal(0).cast(rows.quantity.type())
    whole = rows.is_whole.ifelse(rows.quantity, nothing).max().over(own)
    rows = rows.mutate(left=whole + rows.is_whole.ifelse(nothing, rows.quantity).sum().over(own))
    rows = rows.filter((rows.left > 0) & (rows.quantity > 0))
    newest = ibis.window(
        group_by=[rows.customer_id, rows.product_id],
        order_by=[rows.changed_at.desc(), rows.source],
    )
    rows = rows.mutate(number=ibis.row_number().over(newest))
    return rows.filter(rows.number == 0)


def _price(sales: Sales, held: ir.Table) -> ir.Table:
    """Return what the products of a basket cost now, and did then where the list has both.

    What is dearer or cheaper now is said as far as the dated price list says so: what a page
    asked then may have held taxes or a discount that the catalogue has not.
    """
    now = sales.listed.select("listed", "is_listed", listed_id="product_id")
    rows = held.left_join(now, held.product_id == now.listed_id)
    rows = rows.filter(rows.is_listed.isnull() | (rows.listed > 0))
    prices = sales.facts.more["prices"].select("since", then_id="product_id", then="price")
    past = rows.select("customer_id", "product_id", "changed_at")
    past = past.inner_join(
        prices, [past.product_id == prices.then_id, prices.since <= past.changed_at]
    )
    newest = ibis.window(
        group_by=[past.customer_id, past.product_id],
        order_by=[past.since.desc(), past.then.desc(nulls_first=False)],
    )
    past = past.mutate(number=ibis.row_number().over(newest))
    past = past.filter(past.number == 0)
    past = past.select(past_who="customer_id", past_what="product_id", then="then")
    rows = rows.left_join(
        past, [rows.customer_id == past.past_who, rows.product_id == past.past_what]
    )
    told = sales.facts.products.select(told_id="product_id", told="price")
    rows = rows.left_join(told, rows.product_id == told.told_id)
    last_first = ibis.window(
        group_by=rows.customer_id, order_by=[rows.changed_at, rows.product_id.desc()]
    )
    told_price = rows.unit_price
    if sales.facts.rates:  # what a page asked for is shown as it asked, or not at all
        nothing = ibis.null(told_price.type())
        told_price = sales.facts.is_told_abroad(rows).ifelse(nothing, told_price)
    is_other = (rows.then > 0) & (rows.then != rows.listed)
    return rows.select(
        "customer_id",
        "product_id",
        "name",
        "url",
        "image",
        quantity=rows.left,
        price=ibis.coalesce(rows.listed, rows.told, told_price),
        was=is_other.ifelse(rows.then, ibis.null(rows.then.type())),
        score=ibis.row_number().over(last_first).cast("float64"),
    )


BLOCK = Block(
    name="your_basket",
    meaning="What is in their basket by the table `baskets`, unless they bought any of it since or "
    "`[shop] basket_lasts` is over: `quantity`, `price` now, and `was`, the price when they put it "
    "in, where `prices` has another since.",
    otherwise="nothing: leave its section out",
    rank=rank_basket,
)
