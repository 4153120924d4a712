"""What the newest import of each file took and refused."""

from __future__ import annotations

from rekindle.facts.contracts.columns import SOURCE
from rekindle.facts.contracts.model import INSTANT, Column, Contract

CONTRACT = Contract(
    "imports",
    "What the newest import of each file took and refused.",
    ("source", "file"),
    (
        SOURCE,
        Column("file", "string", "The file or query.", required=True),
        Column("table", "string", "The contract it was read as.", required=True),
        Column("read", "int64", "Rows read.", required=True),
        Column("quarantined", "int64", "Rows refused.", required=True),
        Column("anonymous", "int64", "Rows taken that name no customer.", required=True),
        Column("imported_at", INSTANT, "When.", required=True),
        Column("columns", "string", "The columns of the contract it had, by comma."),
        Column("said", "string", "What tells whether one of several files says the same again."),
    ),
    is_bookkeeping=True,
)
