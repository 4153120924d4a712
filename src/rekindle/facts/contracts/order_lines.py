"""One row a line of an order."""

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
            "How many; negative when given back. A file without such a column has one a line.",
            required=True,
            words=("quantity", "qty", "units", "count", "lineitem_quantity", "menge", "anzahl"),
        ),
        Column(
            "unit_price",
            MONEY,
            "Price of one. Needed where a file does not give the `amount` of a line.",
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
        Column(
            "amount",
            MONEY,
            "What the line comes to: as the file gives it, or else quantity × unit price.",
            required=True,
            words=(
                "amount",
                "line_total",
                "line_amount",
                "item_total",
                "sales_value",
                "extended_price",
                "lineitem_total",
                "zeilensumme",
                "positionssumme",
            ),
        ),
    ),
    extra_inputs=(
        CUSTOMER_ID,
        ORDERED_AT,
        CURRENCY,
        # What is said once of the whole order, in its first row or in each.
        STATUS,
        DISCOUNT,
        DISCOUNT_CODE,
        Column(
            "line_discount",
            MONEY,
            "Taken off the line, as a positive amount; those of an order are added up.",
            words=("line_discount", "item_discount", "lineitem_discount"),
        ),
        REFUND,
        REFUNDED_AT,
        CANCELLED_AT,
        *CARD,
    ),
    covers=("order_id",),
)
