"""What the business sells."""

from __future__ import annotations

from rekindle.facts.contracts.columns import SOURCE
from rekindle.facts.contracts.model import MONEY, Column, Contract

CONTRACT = Contract(
    "products",
    "What the business sells.",
    ("product_id",),
    (
        SOURCE,
        Column(
            "product_id",
            "string",
            "The product.",
            required=True,
            words=("product_id", "id", "sku", "stockcode", "item_id"),
        ),
        Column("name", "string", "In words.", words=("name", "title", "description")),
        Column(
            "category",
            "string",
            "What taste is measured by.",
            words=("category", "product_category", "department", "product_type"),
        ),
        Column("price", MONEY, "What it costs now.", words=("price", "current_price")),
        Column("url", "string", "The address of its page.", words=("url", "link", "product_url")),
        Column(
            "image",
            "string",
            "The address of a picture of it, over https.",
            words=("image", "image_url", "image_link", "picture"),
        ),
    ),
)
