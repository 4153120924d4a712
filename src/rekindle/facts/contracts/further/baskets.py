"""What people put into their baskets and have not bought yet."""

from __future__ import annotations

from datetime import timedelta

from rekindle.facts.contracts.columns import CURRENCY, CUSTOMER_ID, SOURCE
from rekindle.facts.contracts.model import INSTANT, MONEY, Column, Contract

EMPTY_BASKET = "-"
"""Stands for a product in the one row of a basket that was emptied."""

BASKETS_ARE_KEPT = timedelta(days=92)
"""A basket of last quarter waits for nobody, and says more of a person than is needed."""

CONTRACT = Contract(
    "baskets",
    "What was in people's baskets, one row a product. The rows of one customer and instant are one "
    "statement; the newest that is whole counts, with what was put in and taken out since. Rows "
    "older than 92 days are taken out by imports.",
    ("source", "customer_id", "changed_at", "product_id"),
    (
        SOURCE,
        Column("customer_id", "string", "Whose it is.", required=True, words=CUSTOMER_ID.words),
        Column(
            "changed_at",
            INSTANT,
            "When it stood so.",
            required=True,
            words=("changed_at", "updated_at", "abandoned_at", "created_at", "timestamp", "date"),
        ),
        Column(
            "product_id",
            "string",
            "The product, as `products` and the lines of orders call it; "
            f"`{EMPTY_BASKET}` with a quantity of 0 where the basket was emptied.",
            required=True,
            words=("product_id", "sku", "stockcode", "item_id", "variant_id", "lineitem_sku"),
        ),
        Column(
            "quantity",
            MONEY,
            "How many; 0 where none of it is left, 1 where nothing is said. Where the row is not "
            "whole, how many were put in, or, below 0, taken out.",
            words=("quantity", "qty", "units", "lineitem_quantity"),
        ),
        Column(
            "is_whole",
            "boolean",
            "No where the row says what was put in or taken out alone; else the rows of the "
            "instant are all that was in the basket.",
            words=("is_whole",),
        ),
        Column(
            "name",
            "string",
            "What it is called, where the catalogue does not say.",
            words=("name", "product_name", "title", "lineitem_name"),
        ),
        Column(
            "unit_price",
            MONEY,
            "The price of one, where neither `prices` nor the catalogue says.",
            words=("unit_price", "price", "lineitem_price"),
        ),
        CURRENCY,
        Column(
            "url",
            "string",
            "The address of its page, where the catalogue does not say.",
            words=("url", "product_url", "link"),
        ),
        Column(
            "image",
            "string",
            "The address of a picture, over https, where the catalogue does not say.",
            words=("image", "image_url", "picture"),
        ),
    ),
    known_at="changed_at",
    is_optional=True,
    covers=("customer_id", "changed_at"),
    kept_for=BASKETS_ARE_KEPT,
)
