"""Value: what a person brought, net of what was taken off and given back."""

from __future__ import annotations

from fractions import Fraction

import ibis
import ibis.expr.types as ir

HIGH_FROM, MIDDLE_FROM = Fraction(4, 5), Fraction(1, 2)  # quantiles of lifetime value


def build_value(table: ir.Table) -> ir.Table:
    """Add lifetime value and average order value to tallies."""
    paid = table.gross_value - table.discount_value
    orders = table.orders_count.cast("float64").nullif(0.0)
    return table.mutate(
        lifetime_value=paid - table.refund_value, average_order_value=paid.cast("float64") / orders
    )


def build_value_band(table: ir.Table) -> ir.Table:
    """Add ``value_band`` among the buyers of the same date; empty for a prospect.

    Somebody is at or above the interpolated quantile q of n values exactly when their
    place, counted from 0 with ties at their last, is at least q · (n − 1). So a rank says
    the same as the quantile (type 7 of Hyndman & Fan 1996), and warehouses that have no
    exact quantile have ranks.
    """
    table = table.mutate(_buys=table.orders_count > 0)
    among = [table.as_of, table._buys]
    worth = table.lifetime_value.cast("float64")
    ranked = table.mutate(
        _better=ibis.rank().over(ibis.window(group_by=among, order_by=worth.desc())),
        _all=table.count().over(ibis.window(group_by=among)),
    )
    place, last = ranked._all - 1 - ranked._better, ranked._all - 1
    band = ibis.cases(
        (~ranked._buys, ibis.null().cast("string")),
        (_is_at_least(HIGH_FROM, place, last), "high"),
        (_is_at_least(MIDDLE_FROM, place, last), "middle"),
        else_="low",
    )
    return ranked.mutate(value_band=band).drop("_buys", "_better", "_all")


def _is_at_least(share: Fraction, place: ir.Value, last: ir.Value) -> ir.Value:
    # In whole numbers: 0.8 × last as a float may fall on the wrong side of a place.
    return place * share.denominator >= last * share.numerator
