"""What a journey was found to do to single customers, with the instant it was said at."""

from __future__ import annotations

from rekindle.facts.contracts.columns import CUSTOMER_ID, SOURCE
from rekindle.facts.contracts.model import INSTANT, MONEY, Column, Contract

CONTRACT = Contract(
    "uplifts",
    "Whom a journey moves, by a model of its own arms: `rekindle moved JOURNEY --keep` writes it, "
    "where the model may be relied on. Each row holds until the next of the same customer and "
    "journey, or its last day.",
    ("source", "customer_id", "journey", "scored_at"),
    (
        SOURCE,
        Column(
            "customer_id",
            "string",
            "Whom it is about.",
            required=True,
            words=CUSTOMER_ID.words,
        ),
        Column("journey", "string", "Which journey.", required=True, words=("journey",)),
        Column(
            "scored_at",
            INSTANT,
            "The last instant of which anything was known.",
            required=True,
            words=("scored_at",),
        ),
        Column(
            "good_until_on",
            "date",
            "The last day on which it counts; later it excludes nobody.",
            required=True,
            words=("good_until_on",),
        ),
        Column(
            "uplift",
            MONEY,
            "By how much more likely the journey makes a return within its goal's time, −1 to 1.",
            words=("uplift",),
        ),
        Column("uplift_low", MONEY, "Its lower end, at 95 %.", words=("uplift_low",)),
        Column("uplift_high", MONEY, "Its upper end, at 95 %.", words=("uplift_high",)),
        Column(
            "basket",
            MONEY,
            "Net revenue that a return of theirs would bring.",
            words=("basket",),
        ),
    ),
    known_at="scored_at",
    is_optional=True,
)
