"""Subscriber states: how a subscriber stood last, and why they left; shown by ``subscriber``."""

from __future__ import annotations

import ibis.expr.types as ir

from rekindle.facts import Facts
from rekindle.profiles.model import Family, RowTally
from rekindle.subscriptions import STATE, build_states

INNER = tuple(f"subscriber_{name}" for name in STATE)


def build_rows(facts: Facts) -> ir.Table:
    """Return one row a subscriber and instant at which something about them changed."""
    states = build_states(facts)
    return states.select(
        "customer_id", "at", **dict(zip(INNER, (states[n] for n in STATE), strict=True))
    )


FAMILY = Family(
    name="subscriber_states",
    meaning="How the person stood as a subscriber last; shown by `subscriber`.",
    columns=(),
    how=RowTally(build_rows, {}, newest=INNER),
    tables=(
        "subscriptions",
        "subscription_changes",
        "pauses",
        "cancellations",
        "payments",
        "invoices",
    ),
    inner=INNER,
    is_known=lambda facts: facts.has_subscriptions,
)
