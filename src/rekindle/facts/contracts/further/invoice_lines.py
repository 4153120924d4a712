"""What the lines of invoices are for, where no file says what was subscribed to."""

from __future__ import annotations

from dataclasses import replace

from rekindle.facts.contracts.columns import SOURCE
from rekindle.facts.contracts.further.invoices import INVOICE_ID, OF_SUBSCRIPTION
from rekindle.facts.contracts.model import INSTANT, MONEY, Column, Contract
from rekindle.facts.contracts.subscriptions import PLAN

CONTRACT = Contract(
    "invoice_lines",
    "What the lines of `invoices` are for. Imports make `subscriptions` and "
    "`subscription_changes` of them: a subscription is the periods that its lines pay for, one "
    "after the other. The lines that a file has of an invoice are all of it.",
    ("source", "invoice_id", "line"),
    (
        SOURCE,
        replace(INVOICE_ID, meaning="Of which invoice.", words=INVOICE_ID.words[:2]),
        Column("line", "int64", "Place within the invoice, from 1.", required=True, is_input=False),
        Column(
            "kind",
            "string",
            "`subscription`, or nothing, for what goes on; anything else is paid once.",
            words=("kind", "type", "line_type", "item_type"),
        ),
        OF_SUBSCRIPTION,
        replace(PLAN, meaning="The plan, by its name or as `plans` numbers it."),
        Column(
            "amount",
            MONEY,
            "What the line comes to, of all its units, net of discounts and with its tax.",
            required=True,
            words=("amount", "line_total", "line_amount", "total"),
        ),
        Column(
            "tax",
            MONEY,
            "The tax within `amount`; it is nothing that the business earns.",
            words=("tax", "tax_amount"),
        ),
        Column(
            "quantity",
            "int64",
            "How many units, as seats, it is for.",
            words=("quantity", "qty", "units", "seats"),
        ),
        Column(
            "is_prorated",
            "boolean",
            "Whether it settles a part of a period, as after a change in its midst. What is paid "
            "again and again is told by the next line that is not.",
            words=("is_prorated", "prorated", "proration"),
        ),
        Column(
            "period_starts_at",
            INSTANT,
            "When what is paid for begins.",
            words=("period_starts_at", "service_period_start", "period_start", "service_start"),
        ),
        Column(
            "period_ends_at",
            INSTANT,
            "When what is paid for ends: the instant at which the next period begins.",
            words=("period_ends_at", "service_period_end", "period_end", "service_end"),
        ),
    ),
    known_at="period_starts_at",
    is_optional=True,
    covers=("invoice_id",),
)
