"""Who works with what a customer subscribed to."""

from __future__ import annotations

from dataclasses import replace

from rekindle.facts.contracts.columns import SOURCE
from rekindle.facts.contracts.further.invoices import OF_SUBSCRIPTION
from rekindle.facts.contracts.model import INSTANT, Column, Contract
from rekindle.facts.contracts.subscriptions import SUBSCRIBER

CONTRACT = Contract(
    "seats",
    "Who works with what a customer subscribed to: one row for each time a member of the "
    "customer's team was given a seat. How many are paid for is `quantity` of `subscriptions`.",
    ("source", "customer_id", "member_id", "since"),
    (
        SOURCE,
        replace(SUBSCRIBER, meaning="Whose team it is: who pays."),
        Column(
            "member_id",
            "string",
            "The member, as its system numbers them: a user, not a person written to.",
            required=True,
            words=("member_id", "user_id", "seat_id", "member", "user", "login"),
        ),
        replace(OF_SUBSCRIPTION, meaning="Of which subscription; empty where all are meant."),
        Column(
            "since",
            INSTANT,
            "When the seat was given.",
            required=True,
            words=("since", "added_at", "joined_at", "invited_at", "created_at", "created"),
        ),
        Column(
            "removed_at",
            INSTANT,
            "When it was taken away; empty while they have it.",
            words=("removed_at", "until", "left_at", "deactivated_at", "deleted_at"),
        ),
        Column("role", "string", "What they may do, as owner.", words=("role", "member_role")),
    ),
    known_at="since",
    is_optional=True,
)
