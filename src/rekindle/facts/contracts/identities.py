"""Customer ids that belong to one person."""

from __future__ import annotations

from rekindle.facts.contracts.model import Column, Contract

CONTRACT = Contract(
    "identities",
    "Customer ids that belong to one person, found by a shared e-mail address.",
    ("customer_id",),
    (
        Column("customer_id", "string", "An id a source uses.", required=True),
        Column("person_id", "string", "The id the person goes by here.", required=True),
    ),
    is_bookkeeping=True,
)
