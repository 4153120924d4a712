"""What the business sells."""

from __future__ import annotations

from rekindle.facts.contracts.columns import SOURCE
from rekindle.facts.contracts.model import Column, Contract

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
    ),
)
