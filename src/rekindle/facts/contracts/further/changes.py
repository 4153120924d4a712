"""What the business changed, for those who left before."""

from __future__ import annotations

from rekindle.facts.contracts.columns import SOURCE
from rekindle.facts.contracts.model import INSTANT, Column, Contract

CONTRACT = Contract(
    "changes",
    "What the business changed, in its own words: what somebody who left has not seen.",
    ("source", "title", "changed_at"),
    (
        SOURCE,
        Column(
            "changed_at",
            INSTANT,
            "Since when it is so.",
            required=True,
            words=("changed_at", "date", "changed_on", "published_at", "released_at", "day"),
        ),
        Column(
            "title",
            "string",
            "What changed, in a line.",
            required=True,
            words=("title", "change", "headline", "what"),
        ),
        Column("text", "string", "More of it.", words=("text", "description", "details", "body")),
        Column("url", "string", "The address of a page about it.", words=("url", "link")),
        Column(
            "category",
            "string",
            "The category it is about; empty where it is about everything.",
            words=("category", "product_category", "department"),
        ),
    ),
    known_at="changed_at",
    is_optional=True,
)
