"""How many points customers have, as their programme counted them."""

from __future__ import annotations

from rekindle.facts.contracts.columns import CUSTOMER_ID, SOURCE
from rekindle.facts.contracts.model import INSTANT, Column, Contract

CONTRACT = Contract(
    "points",
    "How many points customers have in a loyalty programme. A row holds from its instant until "
    "the next of the same customer and source: a balance that changed does not change what was "
    "known before.",
    ("source", "customer_id", "counted_at"),
    (
        SOURCE,
        Column(
            "customer_id",
            "string",
            "Whose they are.",
            required=True,
            words=(*CUSTOMER_ID.words, "member"),
        ),
        Column(
            "counted_at",
            INSTANT,
            "When they were counted.",
            required=True,
            words=("counted_at", "counted_on", "balance_date", "as_of", "updated_at", "date"),
        ),
        Column(
            "points",
            "int64",
            "How many there are to spend; 0 where none are left.",
            required=True,
            words=("points", "balance", "points_balance", "miles", "punkte", "punktestand"),
        ),
        Column(
            "run_out_on",
            "date",
            "The last day on which all of them count; empty where they do not run out.",
            words=("run_out_on", "expires_on", "expiry_date", "valid_until", "points_expire_on"),
        ),
        Column(
            "level",
            "string",
            "What the programme calls somebody who has so many, as Gold.",
            words=("level", "tier", "membership_level"),
        ),
    ),
    known_at="counted_at",
    is_optional=True,
)
