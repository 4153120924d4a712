"""What became of the price of subscriptions."""

from __future__ import annotations

from rekindle.facts.contracts.columns import SOURCE
from rekindle.facts.contracts.model import INSTANT, Column, Contract
from rekindle.facts.contracts.subscriptions import CHANGED_IN, PRICE, SUBSCRIPTION_ID

CONTRACT = Contract(
    "subscription_changes",
    "Plans and prices that changed while a subscription ran: each holds from its instant on. A "
    "trial that turns into a paying subscription is a change of its price.",
    ("source", "subscription_id", "changed_at"),
    (
        SOURCE,
        SUBSCRIPTION_ID,
        Column(
            "changed_at",
            INSTANT,
            "From when on it holds.",
            required=True,
            words=("changed_at", "change_date", "effective_at", "effective_date", "date"),
        ),
        *PRICE,
        Column(
            "known_in",
            "int64",
            "The import that first showed it as a price that is above nothing.",
            is_input=False,
        ),
        CHANGED_IN,
    ),
    known_at="changed_at",
    is_optional=True,
)
