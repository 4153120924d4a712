"""What an order had given back by an instant, where it gave back more than once."""

from __future__ import annotations

from rekindle.facts.contracts.columns import ORDER_ID, SOURCE
from rekindle.facts.contracts.model import INSTANT, MONEY, Column, Contract

CONTRACT = Contract(
    "refunds",
    "What an order had given back by an instant, where it gave back more than once; the last is "
    "in the order itself.",
    ("source", "order_id", "known_at"),
    (
        SOURCE,
        ORDER_ID,
        Column("known_at", INSTANT, "Since when it is known.", required=True),
        Column("given", MONEY, "Given back by then in all, as a positive amount.", required=True),
    ),
    is_bookkeeping=True,
)
