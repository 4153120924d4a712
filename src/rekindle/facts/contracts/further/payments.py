"""Every time a subscriber's money was asked for."""

from __future__ import annotations

from dataclasses import replace

from rekindle.facts.contracts.columns import CURRENCY, SOURCE
from rekindle.facts.contracts.further.invoices import INVOICE_ID, OF_SUBSCRIPTION
from rekindle.facts.contracts.model import INSTANT, MONEY, Column, Contract
from rekindle.facts.contracts.subscriptions import SUBSCRIBER

METHOD_ID = Column(
    "payment_method_id",
    "string",
    "The card or account, as its system numbers it; never the card's own number.",
    words=("payment_method_id", "payment_method", "card_id", "source_id", "method_id"),
)

CONTRACT = Contract(
    "payments",
    "Every attempt to take money, the failed ones too: an invoice that was tried five times has "
    "five rows. A row that holds a card's number is refused.",
    ("source", "payment_id"),
    (
        SOURCE,
        Column(
            "payment_id",
            "string",
            "The attempt, as its system numbers it.",
            required=True,
            words=("payment_id", "charge_id", "attempt_id", "transaction_id", "id"),
        ),
        SUBSCRIBER,
        replace(
            INVOICE_ID, meaning="Of which invoice.", required=False, words=INVOICE_ID.words[:2]
        ),
        OF_SUBSCRIPTION,
        METHOD_ID,
        Column(
            "attempted_at",
            INSTANT,
            "When it was tried.",
            required=True,
            words=("attempted_at", "created_at", "created", "date", "charged_at", "at"),
        ),
        Column(
            "settled_at",
            INSTANT,
            "When its outcome was known, where that is later, as for bank debits; until then it "
            "is pending.",
            words=("settled_at", "completed_at", "cleared_at", "outcome_at"),
        ),
        Column(
            "amount",
            MONEY,
            "In major units: 500 yen, 1.250 dinars.",
            words=("amount", "total", "gross", "betrag"),
        ),
        CURRENCY,
        Column(
            "outcome",
            "string",
            "What came of it, in the words of its system, as succeeded, paid, failed, declined or "
            "pending. A word that is not known is named in the audit.",
            required=True,
            words=("outcome", "status", "state", "result"),
        ),
        Column(
            "decline_code",
            "string",
            "Why it failed, as insufficient_funds.",
            words=("decline_code", "decline_reason", "failure_code", "error_code"),
        ),
        Column(
            "advice_code",
            "string",
            "What the provider advises: try_again_later, confirm_card_data or do_not_try_again. "
            "It outranks the decline code.",
            words=("advice_code",),
        ),
        Column(
            "network_advice_code",
            "string",
            "What the card's network advises, as Mastercard's 03: do not try again.",
            words=("network_advice_code", "merchant_advice_code", "mac"),
        ),
        Column(
            "network",
            "string",
            "The card's network, as visa; the brand of the payment method where nothing says.",
            words=("network", "card_brand", "brand", "card_type"),
        ),
    ),
    known_at="attempted_at",
    is_optional=True,
    outlives_people=True,
    hides_cards=True,
)
