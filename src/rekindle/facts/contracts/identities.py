"""Customer ids that belong to one person."""

from __future__ import annotations

from rekindle.facts.contracts.model import Column, Contract

CONTRACT = Contract(
    "identities",
    "Customer ids that go by another person's id here.",
    ("source", "customer_id"),
    (
        Column("source", "string", "The only source whose id it is; empty for all of them."),
        Column("customer_id", "string", "An id a source uses.", required=True),
        Column("person_id", "string", "The id the person goes by here.", required=True),
    ),
    is_bookkeeping=True,
    outlives_people=True,
)
