"""What customers say of what they bought."""

from __future__ import annotations

from rekindle.facts.contracts.columns import SOURCE
from rekindle.facts.contracts.model import INSTANT, Column, Contract

CONTRACT = Contract(
    "reviews",
    "What customers say of what they bought, where it may be shown to others.",
    ("source", "review_id"),
    (
        SOURCE,
        Column(
            "review_id",
            "string",
            "The review's own id.",
            required=True,
            words=("review_id", "id", "review"),
        ),
        Column(
            "reviewed_at",
            INSTANT,
            "When it was written.",
            required=True,
            words=("reviewed_at", "date", "created_at", "review_date", "submitted_at"),
        ),
        Column(
            "product_id",
            "string",
            "The product it is about.",
            words=("product_id", "sku", "stockcode", "item_id"),
        ),
        Column(
            "category",
            "string",
            "The category it is about; empty for its product's.",
            words=("category", "product_category"),
        ),
        Column("stars", "int64", "How many of five stars.", words=("stars", "rating", "score")),
        Column("words", "string", "What it says.", words=("words", "text", "body", "comment")),
        Column(
            "author",
            "string",
            "Whom it may be said to be by.",
            words=("author", "name", "reviewer", "display_name"),
        ),
    ),
    known_at="reviewed_at",
    is_optional=True,
)
