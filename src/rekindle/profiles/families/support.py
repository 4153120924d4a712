"""Support: how often the person asked for help."""

from __future__ import annotations

import ibis.expr.types as ir

from rekindle.facts import Facts
from rekindle.profiles.model import Family, ProfileColumn, RowTally

EVENTS = ("support_ticket", "support_request", "ticket_created", "ticket_opened")


def build_requests(facts: Facts) -> ir.Table:
    """Return one row a request for help."""
    events = facts.events.filter(facts.events.event.isin(EVENTS))
    return events.mutate(at=events.occurred_at)


FAMILY = Family(
    name="support",
    meaning="How often the person asked for help.",
    columns=(
        ProfileColumn(
            "support_requests",
            "count",
            "",
            f"Requests for help so far: events {', '.join(f'`{name}`' for name in EVENTS)}.",
            blank=0,
            place=430,
        ),
    ),
    how=RowTally(build_requests, {"support_requests": lambda rows: rows.count()}),
    tables=("events",),
    is_known=lambda facts: facts.has_events,
)
