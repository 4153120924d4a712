"""What models say of customers, with the instant it was said at."""

from __future__ import annotations

from rekindle.facts.contracts.columns import CUSTOMER_ID, SOURCE
from rekindle.facts.contracts.model import INSTANT, MONEY, Column, Contract

CONTRACT = Contract(
    "scores",
    "What models foresee of customers: `rekindle score --keep` writes it, and a model of your own "
    "may. Each row holds from its instant until the next of the same customer, or its last day.",
    ("source", "customer_id", "scored_at"),
    (
        SOURCE,
        Column(
            "customer_id",
            "string",
            "Whom it is about.",
            required=True,
            words=CUSTOMER_ID.words,
        ),
        Column(
            "scored_at",
            INSTANT,
            "The last instant of which anything was known: no profile of an earlier one sees it.",
            required=True,
            words=("scored_at", "scored_on", "score_date", "as_of"),
        ),
        Column(
            "good_until_on",
            "date",
            "The last day on which it counts; later it is stale, and blank in profiles.",
            required=True,
            words=("good_until_on", "valid_until", "expires_on"),
        ),
        Column(
            "horizon_days",
            "int64",
            "Within how many days the return is foreseen.",
            words=("horizon_days", "horizon"),
        ),
        Column(
            "return_probability",
            MONEY,
            "The chance, 0–1, that somebody silent orders within the horizon.",
            words=("return_probability", "p_return"),
        ),
        Column(
            "expected_return_on",
            "date",
            "When they are expected, if they do.",
            words=("expected_return_on",),
        ),
        Column(
            "lapse_risk",
            MONEY,
            "The chance, 0–1, that somebody not lapsed yet lapses before the next order.",
            words=("lapse_risk", "churn_risk", "churn_probability"),
        ),
        Column(
            "next_order_on",
            "date",
            "The day by which the next order is as likely as not.",
            words=("next_order_on",),
        ),
        Column(
            "next_order_low_on",
            "date",
            "The day by which one in ten such customers has ordered.",
            words=("next_order_low_on",),
        ),
        Column(
            "next_order_high_on",
            "date",
            "The day by which nine in ten have.",
            words=("next_order_high_on",),
        ),
    ),
    known_at="scored_at",
    is_optional=True,
)
