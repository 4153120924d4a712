"""Value: what a person brought, net of what was taken off and given back."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

HIGH_QUANTILE, MIDDLE_QUANTILE = 0.8, 0.5


def build_value(table: ir.Table) -> ir.Table:
    """Add lifetime value and average order value to tallies."""
    paid = table.gross_value - table.discount_value
    orders = table.orders_count.cast("float64").nullif(0.0)
    return table.mutate(
        lifetime_value=paid - table.refund_value, average_order_value=paid.cast("float64") / orders
    )


def build_value_band(table: ir.Table) -> ir.Table:
    """Add ``value_band`` among the buyers of the same date; empty for a prospect."""
    buyers = table.filter(table.orders_count > 0)
    worth = buyers.lifetime_value.cast("float64")
    bounds = buyers.group_by(band_as_of=buyers.as_of).agg(
        high_from=worth.quantile(HIGH_QUANTILE), middle_from=worth.quantile(MIDDLE_QUANTILE)
    )
    joined = table.left_join(bounds, table.as_of == bounds.band_as_of)
    own = joined.lifetime_value.cast("float64")
    band = ibis.cases(
        (joined.orders_count == 0, ibis.null().cast("string")),
        (own >= joined.high_from, "high"),
        (own >= joined.middle_from, "middle"),
        else_="low",
    )
    return joined.mutate(value_band=band).drop("band_as_of", "high_from", "middle_from")
