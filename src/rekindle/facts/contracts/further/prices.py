"""What products cost from when on."""

from __future__ import annotations

from rekindle.facts.contracts.columns import SOURCE
from rekindle.facts.contracts.model import INSTANT, MONEY, Column, Contract

CONTRACT = Contract(
    "prices",
    "What products cost from when on, in the business's currency. A row holds from its instant "
    "until the next of its product; `price` of `products` has no day and is what it costs now.",
    ("source", "product_id", "since"),
    (
        SOURCE,
        Column(
            "product_id",
            "string",
            "The product.",
            required=True,
            words=("product_id", "sku", "stockcode", "item_id", "id"),
        ),
        Column(
            "since",
            INSTANT,
            "From when on the row holds.",
            required=True,
            words=("since", "valid_from", "price_date", "changed_at", "date"),
        ),
        Column(
            "price",
            MONEY,
            "What one costs; empty from when on it is not sold any more.",
            words=("price", "unit_price", "current_price", "preis"),
        ),
    ),
    known_at="since",
    is_optional=True,
)
