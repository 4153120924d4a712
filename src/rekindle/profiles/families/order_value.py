"""Order value: what a purchase of a person is worth, of those that stand."""

from __future__ import annotations

import ibis.expr.types as ir

from rekindle.config import LifecycleSettings
from rekindle.profiles.model import Derivation, Family, ProfileColumn


def build_order_value(table: ir.Table, settings: LifecycleSettings) -> ir.Table:
    """Add average order value to tallies."""
    orders = table.orders_count.cast("float64").nullif(0.0)
    return table.mutate(average_order_value=table.standing_value.cast("float64") / orders)


FAMILY = Family(
    name="order_value",
    meaning="What one purchase of the person is worth.",
    columns=(
        ProfileColumn(
            "average_order_value",
            "number",
            "currency",
            "Gross less discounts, per purchase; empty where there is none.",
            place=250,
        ),
    ),
    how=Derivation(build_order_value, is_of_one_row=True),
    needs=("orders_count", "standing_value"),
)
