"""Subscriptions that rest for a while."""

from __future__ import annotations

from rekindle.facts.contracts.columns import SOURCE
from rekindle.facts.contracts.model import INSTANT, Column, Contract
from rekindle.facts.contracts.subscriptions import SUBSCRIPTION_ID

CONTRACT = Contract(
    "pauses",
    "Subscriptions that rest for a while, and are not paid for in it.",
    ("source", "subscription_id", "paused_at"),
    (
        SOURCE,
        SUBSCRIPTION_ID,
        Column(
            "paused_at",
            INSTANT,
            "When the pause began.",
            required=True,
            words=("paused_at", "pause_date", "pause_start", "paused_on"),
        ),
        Column(
            "resumed_at",
            INSTANT,
            "When it ended, or will end; empty while nobody knows.",
            words=("resumed_at", "resumes_at", "resume_date", "pause_end", "resumed_on"),
        ),
        Column(
            "planned_until",
            INSTANT,
            "Until when it was announced to last; where nobody says, it is taken from the end.",
            words=("planned_until",),
        ),
    ),
    known_at="paused_at",
    is_optional=True,
)
