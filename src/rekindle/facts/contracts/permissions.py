"""Every statement on permission that a file made, with its own time; none is overwritten.

A yes that was misread is none: it is marked as one that its file makes no more.
"""

from __future__ import annotations

from rekindle.facts.contracts.columns import SOURCE
from rekindle.facts.contracts.model import INSTANT, Column, Contract

UNSAID = "unsaid"
CONTRACT = Contract(
    "permissions",
    "Every statement on permission that a file made, with its own time; none is overwritten.",
    ("source", "customer_id", "channel", "said", "imported_at", "counts_at"),
    (
        SOURCE,
        Column("customer_id", "string", "Who said it, as the source calls them.", required=True),
        Column("channel", "string", "What it is about: email or sms.", required=True),
        Column(
            "said",
            "string",
            "yes, no, unsaid for a yes that its file makes no more (it was misread), or the "
            "source's word where that is none of these: perhaps a no.",
            required=True,
        ),
        Column("said_at", INSTANT, "When, as the source dates it; empty where it does not."),
        Column("imported_at", INSTANT, "The import that first read it.", required=True),
        Column("file", "string", "The file or query it stood in.", required=True),
        Column("head", "string", "Of a yes, the column it was read from."),
        Column(
            "counts_at",
            INSTANT,
            "Since when it counts: its own date, never later than the import. Without one a no "
            "counts from the import, and a yes from the earliest it may have been said.",
            required=True,
        ),
    ),
    is_bookkeeping=True,
    outlives_people=True,
)
