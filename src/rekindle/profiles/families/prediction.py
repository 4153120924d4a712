"""Prediction: the newest score of a person, while it counts.

A score says nothing of somebody who ordered after it, and nothing once it is stale. Both are
blank rather than silently old; ``scored_at`` stays, and says why.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from rekindle.config import LifecycleSettings
from rekindle.profiles.families.scores import INNER, SAID
from rekindle.profiles.model import DTYPES, Derivation, Family, ProfileColumn

COLUMNS = (
    ProfileColumn(
        "scored_at",
        "instant",
        "",
        "The last instant that the newest kept score knows of; the columns beside it are empty "
        "where somebody ordered since, or it is stale.",
        place=400,
    ),
    ProfileColumn(
        "return_probability",
        "number",
        "share 0–1",
        "For somebody silent: the chance of an order within the scores' horizon.",
        place=401,
    ),
    ProfileColumn(
        "expected_return_on", "date", "", "When that order is expected, if it comes.", place=402
    ),
    ProfileColumn(
        "lapse_risk",
        "number",
        "share 0–1",
        "For somebody not lapsed yet: the chance of lapsing before the next order.",
        place=403,
    ),
    ProfileColumn(
        "next_order_on",
        "date",
        "",
        "The day by which the next order is as likely as not; empty beyond two years.",
        place=404,
    ),
    ProfileColumn(
        "next_order_low_on",
        "date",
        "",
        "The day by which one in ten such customers has ordered.",
        place=405,
    ),
    ProfileColumn(
        "next_order_high_on",
        "date",
        "",
        "The day by which nine in ten have; empty beyond two years.",
        place=406,
    ),
)


def build_prediction(table: ir.Table, settings: LifecycleSettings) -> ir.Table:
    """Add the newest score's columns, empty where it does not count any more."""
    if "score_at" not in table.columns:
        return table
    is_answered = table.last_order_at.notnull() & (table.last_order_at > table.score_at)
    counts = (table.score_until >= table.as_of_on) & ~is_answered
    types = {column.name: DTYPES[column.type] for column in COLUMNS}
    shown = {
        name: counts.ifelse(table[f"score_{name}"], ibis.null()).cast(types[name]) for name in SAID
    }
    return table.mutate(scored_at=table.score_at, **shown)


FAMILY = Family(
    name="prediction",
    meaning="What models foresee of the person, as kept by `rekindle score --keep`.",
    columns=COLUMNS,
    how=Derivation(build_prediction, is_of_one_row=True),
    needs=("last_order_at",),
    may_use=INNER,
)
