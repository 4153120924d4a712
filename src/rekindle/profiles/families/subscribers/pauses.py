"""Pauses: until when the newest was to last as it began; shown by ``subscriber``."""

from __future__ import annotations

import ibis.expr.types as ir

from rekindle.facts import Facts
from rekindle.profiles.model import Family, RowTally
from rekindle.subscriptions import build_rests

INNER = ("pause_planned_on", "pause_over_at")


def build_rows(facts: Facts) -> ir.Table:
    """Return one row a person and instant at which something of theirs began to rest."""
    rests = build_rests(facts)
    names = dict(zip(INNER, (rests.planned_on, rests.over_at), strict=True))
    return rests.select("customer_id", "at", **names)


FAMILY = Family(
    name="pauses",
    meaning="Until when the person's newest pause was to last; shown by `subscriber`.",
    columns=(),
    how=RowTally(build_rows, {}, newest=INNER),
    tables=("pauses", "subscriptions"),
    inner=INNER,
    is_known=lambda facts: facts.has_subscriptions,
)
