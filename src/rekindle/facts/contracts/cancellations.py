"""What people said when they cancelled."""

from __future__ import annotations

from rekindle.facts.contracts.columns import SOURCE
from rekindle.facts.contracts.model import INSTANT, Column, Contract
from rekindle.facts.contracts.subscriptions import SUBSCRIBER

CONTRACT = Contract(
    "cancellations",
    "Who cancelled, when, and why.",
    ("source", "cancellation_id"),
    (
        SOURCE,
        Column(
            "cancellation_id",
            "string",
            "The cancellation.",
            required=True,
            words=("cancellation_id", "churn_event_id", "event_id", "id"),
        ),
        SUBSCRIBER,
        Column(
            "subscription_id",
            "string",
            "Of which subscription; empty where it is of all.",
            words=("subscription_id", "subscription"),
        ),
        Column(
            "cancelled_at",
            INSTANT,
            "When.",
            required=True,
            words=("cancelled_at", "canceled_at", "churn_date", "cancel_date", "date"),
        ),
        Column(
            "effective_at",
            INSTANT,
            "From when on it holds, where that is later: what is paid for until then goes on.",
            words=("effective_at", "effective_date", "effective_on"),
        ),
        Column(
            "reason",
            "string",
            "Why, in the words of the form.",
            words=("reason", "reason_code", "cancellation_reason", "churn_reason", "grund"),
        ),
        Column(
            "words",
            "string",
            "What they wrote beside it.",
            words=("words", "feedback_text", "feedback", "comment", "comments"),
        ),
    ),
    known_at="cancelled_at",
    is_optional=True,
    outlives_people=True,
)
