"""What subscribers pay with: never a number."""

from __future__ import annotations

from dataclasses import replace

from rekindle.facts.contracts.columns import SOURCE
from rekindle.facts.contracts.further.invoices import OF_SUBSCRIPTION
from rekindle.facts.contracts.further.payments import METHOD_ID
from rekindle.facts.contracts.model import INSTANT, Column, Contract
from rekindle.facts.contracts.subscriptions import SUBSCRIBER

CONTRACT = Contract(
    "payment_methods",
    "Cards and accounts that subscribers pay with: brand, the last four digits and when it "
    "expires. A row that holds more of the number is refused, and a whole number kept nowhere. A "
    "row holds from its instant until the next one of its method: banks renew cards.",
    ("source", "payment_method_id", "since"),
    (
        SOURCE,
        replace(METHOD_ID, required=True, words=(*METHOD_ID.words, "id")),
        SUBSCRIBER,
        replace(
            OF_SUBSCRIPTION,
            meaning="The one subscription that is paid with it; empty for all that have none of "
            "their own.",
        ),
        Column(
            "since",
            INSTANT,
            "From when on the row holds: when it was added, or changed.",
            required=True,
            words=("since", "added_at", "created_at", "created", "changed_at", "updated_at"),
        ),
        Column(
            "brand",
            "string",
            "As visa, mastercard or sepa_debit.",
            words=("brand", "card_brand", "network", "card_type", "type"),
        ),
        Column(
            "last_four",
            "string",
            "The last four digits.",
            words=("last_four", "last4", "card_last4", "last_4", "card_last_4"),
        ),
        Column(
            "expiry_month",
            "int64",
            "The month after which it is no longer good, 1 to 12.",
            words=("expiry_month", "exp_month", "card_exp_month", "expiration_month"),
        ),
        Column(
            "expiry_year",
            "int64",
            "The year of that month; of two digits, one of this century.",
            words=("expiry_year", "exp_year", "card_exp_year", "expiration_year"),
        ),
        Column(
            "removed_at",
            INSTANT,
            "When it was taken off.",
            words=("removed_at", "detached_at", "deleted_at"),
        ),
    ),
    known_at="since",
    is_optional=True,
    hides_cards=True,
)
