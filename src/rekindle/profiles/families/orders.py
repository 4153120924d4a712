"""Orders: how often, when and for how much a person bought."""

from __future__ import annotations

import ibis

from rekindle.profiles.model import Family, OrderTally, ProfileColumn

FAMILY = Family(
    name="orders",
    meaning="How often, when and for how much the person bought.",
    columns=(
        ProfileColumn(
            "orders_count",
            "count",
            "orders",
            "Purchases so far, refunded ones included; one that was cancelled, or met by an equal "
            "refund within three days, is none from then on.",
            blank=0,
            place=50,
        ),
        ProfileColumn(
            "purchase_days_count",
            "count",
            "days",
            "Different days with a purchase.",
            blank=0,
            place=60,
        ),
        ProfileColumn("first_order_at", "instant", "UTC", "The first purchase.", place=70),
        ProfileColumn("last_order_at", "instant", "UTC", "The last purchase.", place=80),
        ProfileColumn("first_order_on", "date", "", "Its day, in the business's zone.", place=90),
        ProfileColumn("last_order_on", "date", "", "Its day, in the business's zone.", place=100),
        ProfileColumn(
            "previous_order_on", "date", "", "The purchase day before the last one.", place=110
        ),
        ProfileColumn(
            "gross_value",
            "money",
            "currency",
            "Everything bought, before discounts and refunds; also what was given back within "
            "three days.",
            blank=0,
            place=210,
        ),
        ProfileColumn(
            "discount_value",
            "money",
            "currency",
            "Discounts received, as a positive amount.",
            blank=0,
            place=220,
        ),
        ProfileColumn(
            "refund_value",
            "money",
            "currency",
            "Refunds received, as a positive amount.",
            blank=0,
            place=230,
        ),
    ),
    how=OrderTally(
        {
            "orders_count": lambda orders: orders.purchase_at.count(),
            "purchase_days_count": lambda orders: orders.is_new_day.ifelse(1, ibis.null()).count(),
            "gross_value": lambda orders: orders.gross.sum(),
            "discount_value": lambda orders: orders.discount.fill_null(0).sum(),
            "refund_value": lambda orders: orders.refund.fill_null(0).sum(),
            "first_order_at": lambda orders: orders.purchase_at.min(),
            "last_order_at": lambda orders: orders.purchase_at.max(),
            "first_order_on": lambda orders: orders.purchase_on.min(),
            "last_order_on": lambda orders: orders.purchase_on.max(),
            "previous_order_on": lambda orders: orders.day_before.max(),
            "standing_value": lambda orders: orders.paid.sum(),
            "undone_on": lambda orders: orders.undone_on.max(),
        }
    ),
    tables=("orders",),
    inner=("standing_value", "undone_on"),
)
