"""What points at people: the evidence of who is one person."""

from __future__ import annotations

from rekindle.facts.contracts.model import INSTANT, Column, Contract

CONTRACT = Contract(
    "handles",
    "Addresses, phone numbers and loyalty numbers that customer ids were ever given with.",
    ("customer_id", "kind", "value"),
    (
        Column("customer_id", "string", "The id.", required=True),
        Column("kind", "string", "email, phone or loyalty.", required=True),
        Column("value", "string", "In its normal spelling.", required=True),
        Column("source", "string", "The source that said so first."),
        Column("first_seen_at", INSTANT, "When an import saw it first.", required=True),
    ),
    is_bookkeeping=True,
)
