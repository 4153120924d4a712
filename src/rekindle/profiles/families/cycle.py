"""The personal clock: how long between purchases is normal for this person.

If gaps are exponential with a rate that varies between people as a gamma distribution,
the expected gap given n own gaps that sum to s is (s + k·m) / (n + k), with m the
group's mean gap and k how many gaps the group's opinion is worth: own experience shrunk
towards the group (Gelman et al., Bayesian Data Analysis, 3rd ed., § 2.6). Means of gaps
telescope: they need only the first and last day and the number of days.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from rekindle.config import LifecycleSettings
from rekindle.profiles.model import Derivation, Family, ProfileColumn

# A category's own mean counts fully only once it rests on many gaps.
CATEGORY_SHRINKAGE_GAPS = 20.0


def build_cycle(table: ir.Table, settings: LifecycleSettings) -> ir.Table:
    """Add silence, own, group and expected gap to tallies with ``as_of_on``."""
    gaps = ibis.greatest(table.purchase_days_count - 1, 0)
    span = ibis.coalesce(table.last_order_on.delta(table.first_order_on, unit="day"), 0)
    table = table.mutate(gaps=gaps, span_days=span)
    table = _with_group_gap(table, settings)
    k = settings.shrinkage
    # Whoever gave everything back has been silent since, but their silence is no gap.
    table = table.mutate(silent_since_on=ibis.coalesce(table.last_order_on, table.undone_on))
    table = table.mutate(
        silence_days=table.as_of_on.delta(table.silent_since_on, unit="day"),
        mean_gap_days=table.span_days.cast("float64") / table.gaps.cast("float64").nullif(0.0),
        expected_gap_days=(table.span_days + k * table.group_gap) / (table.gaps + k),
    )
    return table.mutate(silence_ratio=table.silence_days / table.expected_gap_days)


def _with_group_gap(table: ir.Table, settings: LifecycleSettings) -> ir.Table:
    """Add ``group_gap``: the main category's mean gap, shrunk towards the shop's."""
    fallback = float(settings.fallback_gap_days)
    shop = table.group_by(shop_as_of=table.as_of).agg(
        shop_span=table.span_days.sum().cast("float64"),
        shop_gaps=table.gaps.sum().cast("float64"),
    )
    shop = shop.select(
        "shop_as_of",
        shop_gap=ibis.coalesce(shop.shop_span / shop.shop_gaps.nullif(0.0), fallback),
    )
    table = table.left_join(shop, table.as_of == shop.shop_as_of).drop("shop_as_of")
    if "top_category" not in table.columns:
        return table.rename(group_gap="shop_gap")
    weight = CATEGORY_SHRINKAGE_GAPS
    group = table.group_by(
        group_as_of=table.as_of, group_category=table.top_category, group_shop_gap=table.shop_gap
    ).agg(
        group_span=table.span_days.sum().cast("float64"),
        group_gaps=table.gaps.sum().cast("float64"),
    )
    group = group.filter(group.group_category.notnull())
    group = group.select(
        "group_as_of",
        "group_category",
        category_gap=(group.group_span + weight * group.group_shop_gap)
        / (group.group_gaps + weight),
    )
    joined = table.left_join(
        group,
        [table.as_of == group.group_as_of, table.top_category == group.group_category],
    )
    return joined.mutate(group_gap=ibis.coalesce(joined.category_gap, joined.shop_gap)).drop(
        "group_as_of", "group_category", "category_gap", "shop_gap"
    )


FAMILY = Family(
    name="cycle",
    meaning="How long the person has been silent, and how long is normal for them.",
    columns=(
        ProfileColumn(
            "silence_days",
            "count",
            "days",
            "Since the last purchase day, or of who undid every purchase the day of the last; "
            "empty for a prospect.",
            place=30,
        ),
        ProfileColumn(
            "silence_ratio",
            "number",
            "",
            "Silence ÷ expected gap; 1.5 makes at_risk with the default clock.",
            place=40,
        ),
        ProfileColumn(
            "mean_gap_days",
            "number",
            "days",
            "Between one's own purchase days; empty before the second.",
            place=120,
        ),
        ProfileColumn(
            "expected_gap_days",
            "number",
            "days",
            "The own mean gap, shrunk towards the main category's and the shop's.",
            place=130,
        ),
    ),
    how=Derivation(build_cycle),
    needs=("purchase_days_count", "first_order_on", "last_order_on", "undone_on"),
    may_use=("top_category",),
    inner=("gaps", "span_days", "group_gap", "silent_since_on"),
)
