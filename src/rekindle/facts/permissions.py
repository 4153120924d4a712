"""What people stated about being written to, as the facts know it, whichever file said it."""

from __future__ import annotations

from datetime import datetime

import ibis
import ibis.expr.types as ir

from rekindle.facts.contracts import PERMISSIONS

EPOCH = datetime(1970, 1, 1)
EMAIL = "email"
COLUMNS = tuple(column.name for column in PERMISSIONS.columns)


def build_permissions(customers: ir.Table, statements: ir.Table | None) -> ir.Table:
    """Return every statement, in the columns of the contract.

    A warehouse keeps none, and a lake of an earlier version has not read them yet: there,
    what the card of a customer says stands for it, as of its date or else the card's.
    """
    cards = customers.filter(customers.email_consent.notnull())
    if statements is not None:
        said = statements.filter(statements.channel == EMAIL)  # a card holds nothing of others
        cards = cards.anti_join(said, ["source", "customer_id"])
    instant = PERMISSIONS.schema["counts_at"]
    counts_at = ibis.coalesce(
        cards.email_consent_at,
        cards.created_at,
        ibis.literal(EPOCH, type="timestamp").cast(instant),
    )
    told = cards.select(
        "source",
        "customer_id",
        channel=ibis.literal(EMAIL),
        said=cards.email_consent.ifelse("yes", "no"),
        said_at=counts_at,
        imported_at=counts_at,
        file=ibis.literal(""),
        head=ibis.null("string"),
        counts_at=counts_at,
    ).cast(PERMISSIONS.schema)
    return told if statements is None else statements.select(*COLUMNS).union(told)
