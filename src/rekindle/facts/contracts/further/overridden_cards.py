"""What a file said last of a card that was reported on as well."""

from __future__ import annotations

from rekindle.facts.contracts.customers import CONTRACT as CUSTOMERS
from rekindle.facts.contracts.model import Contract

CONTRACT = Contract(
    "overridden_cards",
    "What a file said last of a card that was reported on as well: of each column, until the file "
    "says something else there, it says nothing new.",
    ("source", "customer_id"),
    tuple(column for column in CUSTOMERS.columns if column.name not in ("known_at", "given_id")),
    is_bookkeeping=True,
)
