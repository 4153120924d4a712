"""What people did beside buying."""

from __future__ import annotations

from rekindle.facts.contracts.columns import CUSTOMER_ID, SOURCE
from rekindle.facts.contracts.model import INSTANT, Column, Contract

CONTRACT = Contract(
    "events",
    "What people did beside buying: visits, logins, clicks. From a file they are history, which "
    "replays read, and which begins and ends no journey that runs; but who `unsubscribed`, or "
    "complained as by `email_marked_as_spam`, has said no to marketing from that instant on.",
    ("source", "event_id"),
    (
        SOURCE,
        Column(
            "event_id",
            "string",
            "The event's own id.",
            required=True,
            words=("event_id", "message_id", "messageid", "id"),
        ),
        Column("customer_id", "string", "Who did it.", required=True, words=CUSTOMER_ID.words),
        Column(
            "event",
            "string",
            "What was done.",
            required=True,
            words=("event", "event_name", "type", "action"),
        ),
        Column(
            "occurred_at",
            INSTANT,
            "When.",
            required=True,
            words=("occurred_at", "timestamp", "time", "date", "day", "created_at"),
        ),
    ),
    known_at="occurred_at",
)
