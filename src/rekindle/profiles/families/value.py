"""Value: what a person brought, net of what was taken off and given back."""

from __future__ import annotations

import ibis.expr.types as ir

from rekindle.config import LifecycleSettings
from rekindle.profiles.model import Derivation, Family, ProfileColumn


def build_value(table: ir.Table, settings: LifecycleSettings) -> ir.Table:
    """Add lifetime value to tallies."""
    paid = table.gross_value - table.discount_value
    return table.mutate(lifetime_value=paid - table.refund_value)


FAMILY = Family(
    name="value",
    meaning="What the person brought.",
    columns=(
        ProfileColumn(
            "lifetime_value",
            "money",
            "currency",
            "Net revenue: gross − discounts − refunds.",
            place=240,
        ),
    ),
    how=Derivation(build_value, is_of_one_row=True),
    needs=("orders_count", "gross_value", "discount_value", "refund_value"),
)
