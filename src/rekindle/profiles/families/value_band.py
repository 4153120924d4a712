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
    buys, worth = table.orders_count > 0, table.lifetime_value.cast("float64")
    # Ranked without the rest of the profile: sorting whole rows costs four times as much.
    narrow = table.filter(buys).select(band_of="as_of", worth=worth)
    ranked = narrow.mutate(
        better=ibis.rank().over(ibis.window(group_by=narrow.band_of, order_by=narrow.worth.desc())),
        everyone=narrow.count().over(ibis.window(group_by=narrow.band_of)),
    )
    last = ranked.everyone - 1
    place = last - ranked.better
    lines = ranked.group_by("band_of").agg(
        high_from=ranked.worth.min(where=_is_at_least(HIGH_FROM, place, last)),
        middle_from=ranked.worth.min(where=_is_at_least(MIDDLE_FROM, place, last)),
    )
    joined = table.left_join(lines, table.as_of == lines.band_of)
    worth = joined.lifetime_value.cast("float64")
    band = ibis.cases(
        (~(joined.orders_count > 0), ibis.null().cast("string")),
        (worth >= joined.high_from, "high"),
        (worth >= joined.middle_from, "middle"),
        else_="low",
    )
    return joined.mutate(value_band=band).drop("band_of", "high_from", "middle_from")


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
            is_covariate=True,
        ),
    ),
    how=Derivation(build_value_band),
    needs=("orders_count", "lifetime_value"),
)
