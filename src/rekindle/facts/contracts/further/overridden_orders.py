"""What a file said last of an order that was reported on as well."""

from __future__ import annotations

from rekindle.facts.contracts.model import INSTANT, Column, Contract
from rekindle.facts.contracts.orders import CONTRACT as ORDERS
from rekindle.facts.contracts.orders import STAMPS

CONTRACT = Contract(
    "overridden_orders",
    "What a file said last of an order that was reported on as well: until the file says "
    "something else, it says nothing new.",
    ORDERS.key,
    (
        *(column for column in ORDERS.columns if column.name not in STAMPS),
        Column(
            "counts_since",
            INSTANT,
            "Of what a file said after a report: since when; what was reported before is older.",
        ),
    ),
    is_bookkeeping=True,
    outlives_people=True,
)
