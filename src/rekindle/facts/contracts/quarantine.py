"""Rows that broke a contract, kept with their reason and place."""

from __future__ import annotations

from rekindle.facts.contracts.columns import SOURCE
from rekindle.facts.contracts.model import Column, Contract

CONTRACT = Contract(
    "quarantine",
    "Rows that broke a contract, kept with their reason and place.",
    ("source", "file", "line", "reason"),
    (
        SOURCE,
        Column("table", "string", "The contract the row broke.", required=True),
        Column("file", "string", "Where it came from.", required=True),
        Column("line", "int64", "Its line in that file (a header is line 1).", required=True),
        Column("reason", "string", "Which rule it broke, in a word.", required=True),
        Column("detail", "string", "What was wrong and what to do.", required=True),
        Column("record", "string", "The row as read, as JSON."),
    ),
    is_bookkeeping=True,
)
