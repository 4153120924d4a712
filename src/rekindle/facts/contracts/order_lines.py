"""One row a line of an order."""

from __future__ import annotations

from rekindle.facts.contracts.columns import (
    CARD,
    CURRENCY,
    CUSTOMER_ID,
    ORDER_ID,
    ORDERED_AT,
    SOURCE,
)
from rekindle.facts.contracts.model import MONEY, Column, Contract

CONTRACT = Contract(
    "order_lines",
    "One row a line of an order; folded into orders.",
    ("source", "order_id", "line"),
    (
        SOURCE,
        ORDER_ID,
        Column("line", "int64", "Place within the order, from 1.", required=True, is_input=False),
        Column(
            "product_id",
            "string",
            "What was bought.",
            words=(
                "product_id",
                "sku",
                "stockcode",
                "stock_code",
                "product",
                "item_id",
                "item",
                "variant_id",
                "article",
                "lineitem_sku",
                "artikelnummer",
            ),
        ),
        Column(
            "description",
            "string",
            "In words.",
            words=("description", "product_name", "title", "lineitem_name"),
        ),
        Column(
            "category",
            "string",
            "The product's category, where the line names it.",
            words=("category", "department", "product_category", "product_type"),
        ),
        Column(
            "quantity",
            MONEY,
            "How many; negative when given back.",
            required=True,
            words=("quantity", "qty", "units", "count", "lineitem_quantity", "menge", "anzahl"),
        ),
        Column(
            "unit_price",
            MONEY,
            "Price of one.",
            required=True,
            words=(
                "unit_price",
                "unitprice",
                "price",
                "item_price",
                "lineitem_price",
                "einzelpreis",
                "preis",
            ),
        ),
        Column("amount", MONEY, "Quantity × unit price.", required=True, is_input=False),
    ),
    extra_inputs=(CUSTOMER_ID, ORDERED_AT, CURRENCY, *CARD),
)
