"""One row an order, cancellation or refund."""

from __future__ import annotations

from rekindle.facts.contracts.columns import (
    CANCELLED_AT,
    CARD,
    CURRENCY,
    CUSTOMER_ID,
    DISCOUNT,
    DISCOUNT_CODE,
    ORDER_ID,
    ORDERED_AT,
    REFUND,
    REFUNDED_AT,
    SOURCE,
    STATUS,
)
from rekindle.facts.contracts.model import INSTANT, MONEY, Column, Contract

STAMPS = (
    "refund_known_at",
    "cancel_known_at",
    "known_in",
    "sold_in",
    "moved_in",
    "changed_in",
)
"""The columns that no source tells: when, and by which import, an order became what it is."""

CONTRACT = Contract(
    "orders",
    "One row an order, cancellation or refund.",
    ("source", "order_id"),
    (
        SOURCE,
        ORDER_ID,
        CUSTOMER_ID,
        ORDERED_AT,
        Column(
            "ordered_on", "date", "The day, in the business's zone.", required=True, is_input=False
        ),
        Column(
            "kind",
            "string",
            "purchase, refund, cancelled, pending (a draft, or not paid yet), or free (nothing "
            "was paid).",
            required=True,
            is_input=False,
        ),
        Column(
            "gross",
            MONEY,
            "Goods at their price, before discounts and refunds.",
            required=True,
            words=(
                "gross",
                "total",
                "order_total",
                "amount",
                "total_price",
                "revenue",
                "value",
                "sales_value",
                "grand_total",
                "subtotal",
                "brutto",
                "bruttobetrag",
                "gesamtbetrag",
                "summe",
                "betrag",
            ),
        ),
        DISCOUNT,
        DISCOUNT_CODE,
        REFUND,
        REFUNDED_AT,
        CANCELLED_AT,
        CURRENCY,
        Column(
            "refund_known_at",
            INSTANT,
            "Since when the refund counts: its date, or the import that first read it.",
            is_input=False,
        ),
        Column(
            "cancel_known_at",
            INSTANT,
            "Since when it counts as cancelled: the date, or the import that first read it.",
            is_input=False,
        ),
        Column("sold_gross", MONEY, "Of a cancelled order, its gross before.", is_input=False),
        Column(
            "sold_discount", MONEY, "Of a cancelled order, its discount before.", is_input=False
        ),
        Column(
            "known_in",
            "int64",
            "The import that first showed it as a purchase of this customer; imports are "
            "numbered, and numbers grow.",
            is_input=False,
        ),
        Column(
            "sold_in",
            "int64",
            "The import that made a purchase of what was here as something else before.",
            is_input=False,
        ),
        Column("moved_in", "int64", "The import that last changed its date.", is_input=False),
        Column("changed_in", "int64", "The import that last changed it.", is_input=False),
    ),
    extra_inputs=(
        STATUS,
        *CARD,
        Column(
            "refunds",
            "string",
            "What had been given back by when, where it was more than once: INSTANT=AMOUNT; …, "
            "each amount with those before it.",
        ),
    ),
    known_at="ordered_at",
    outlives_people=True,
)
