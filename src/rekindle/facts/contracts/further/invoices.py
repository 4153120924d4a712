"""What subscribers were asked to pay."""

from __future__ import annotations

from dataclasses import replace

from rekindle.facts.contracts.columns import CURRENCY, SOURCE
from rekindle.facts.contracts.model import INSTANT, MONEY, Column, Contract
from rekindle.facts.contracts.subscriptions import SUBSCRIBER, SUBSCRIPTION_ID

INVOICE_ID = Column(
    "invoice_id",
    "string",
    "The invoice, as its system numbers it.",
    required=True,
    words=("invoice_id", "invoice", "id", "invoice_number", "number"),
)
OF_SUBSCRIPTION = replace(
    SUBSCRIPTION_ID,
    meaning="Of which subscription; empty for what is paid once.",
    required=False,
    words=SUBSCRIPTION_ID.words[:3],
)

CONTRACT = Contract(
    "invoices",
    "What subscribers were asked to pay. Whether an invoice is open on a day follows from its "
    "instants and from `payments`, and from no state that an export has of its own day.",
    ("source", "invoice_id"),
    (
        SOURCE,
        INVOICE_ID,
        SUBSCRIBER,
        OF_SUBSCRIPTION,
        Column(
            "invoiced_at",
            INSTANT,
            "When it was made out.",
            required=True,
            words=("invoiced_at", "invoice_date", "finalized_at", "created_at", "date", "created"),
        ),
        Column(
            "due_at",
            INSTANT,
            "When it is due; when it was made out, where nothing says.",
            words=("due_at", "due_date", "due_on"),
        ),
        Column(
            "amount",
            MONEY,
            "What is asked for, in major units, taxes included: 500 yen, 1.250 dinars.",
            words=("amount", "amount_due", "total", "betrag"),
        ),
        CURRENCY,
        Column(
            "paid_at",
            INSTANT,
            "When it was paid in full.",
            words=("paid_at", "paid_on", "paid_date"),
        ),
        Column(
            "voided_at",
            INSTANT,
            "When it was taken back.",
            words=("voided_at", "cancelled_at", "canceled_at", "void_at"),
        ),
        Column(
            "given_up_at",
            INSTANT,
            "When it was given up as never to be paid.",
            words=("given_up_at", "marked_uncollectible_at", "uncollectible_at", "written_off_at"),
        ),
        Column(
            "period_starts_at",
            INSTANT,
            "When what is paid for begins.",
            words=("period_starts_at", "period_start", "service_start"),
        ),
        Column(
            "period_ends_at",
            INSTANT,
            "When what is paid for ends.",
            words=("period_ends_at", "period_end", "service_end"),
        ),
    ),
    known_at="invoiced_at",
    is_optional=True,
    outlives_people=True,
)
