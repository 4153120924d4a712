"""The value band: where a buyer stands among all buyers of the same day."""

from __future__ import annotations

from fractions import Fraction

import ibis
import ibis.expr.types as ir

from rekindle.config import LifecycleSettings
from rekindle.profiles.model import Derivation, Family, ProfileColumn

HIGH_FROM, MIDDLE_FROM = Fraction(4, 5), Fraction(1, 2)  # quantiles of lifetime value


def build_value_band(table: ir.Table, settings: LifecycleSettings) -> ir.Table:
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


FAMILY = Family(
    name="value_band",
    meaning="How much the person brought beside all other buyers.",
    columns=(
        ProfileColumn(
            "value_band",
            "text",
            "",
            "high (top fifth of buyers by lifetime value), middle, or low (lower half).",
            words=("high", "middle", "low"),
            place=270,
        ),
    ),
    how=Derivation(build_value_band),
    needs=("orders_count", "lifetime_value"),
)
