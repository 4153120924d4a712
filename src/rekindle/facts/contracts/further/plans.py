"""What can be subscribed to, and what it costs from when on."""

from __future__ import annotations

from rekindle.facts.contracts.columns import CURRENCY, SOURCE
from rekindle.facts.contracts.model import INSTANT, MONEY, Column, Contract
from rekindle.facts.contracts.subscriptions import INTERVAL, INTERVAL_COUNT

CONTRACT = Contract(
    "plans",
    "What can be subscribed to. A row holds from its instant until the next one of its plan, so "
    "that a price that changed does not change what was known before.",
    ("source", "plan_id", "since"),
    (
        SOURCE,
        Column(
            "plan_id",
            "string",
            "The plan, as its system numbers it.",
            required=True,
            words=("plan_id", "price_id", "id", "plan", "plan_code"),
        ),
        Column(
            "since",
            INSTANT,
            "From when on the row holds.",
            required=True,
            words=("since", "valid_from", "created_at", "created", "changed_at"),
        ),
        Column(
            "name",
            "string",
            "What people call it; `plan` of a subscription is this or the id.",
            words=("name", "plan_name", "product_name", "nickname", "title"),
        ),
        Column(
            "amount",
            MONEY,
            "What one interval costs, in major units: 500 yen, 1.250 dinars.",
            words=("amount", "price", "unit_amount"),
        ),
        INTERVAL,
        INTERVAL_COUNT,
        CURRENCY,
        Column(
            "ended_at",
            INSTANT,
            "From when on nobody can begin it any more; empty while it is offered.",
            words=("ended_at", "archived_at", "retired_at", "deleted_at"),
        ),
    ),
    known_at="since",
    is_optional=True,
)
