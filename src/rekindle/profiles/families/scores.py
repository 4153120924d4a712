"""Scores: what models said of a person last, before the day of the question."""

from __future__ import annotations

import ibis.expr.types as ir

from rekindle.facts import Facts
from rekindle.profiles.model import Family, RowTally

SAID = (
    "return_probability",
    "expected_return_on",
    "lapse_risk",
    "next_order_on",
    "next_order_low_on",
    "next_order_high_on",
)


def build_scores(facts: Facts) -> ir.Table:
    """Return one row a person and instant; of two ids that are one person, the greatest."""
    scores = facts.more["scores"]
    scores = scores.filter(scores.customer_id.notnull() & scores.scored_at.notnull())
    best = {f"score_{name}": scores[name].max() for name in SAID}
    return scores.group_by("customer_id", at=scores.scored_at).agg(
        score_at=scores.scored_at.max(), score_until=scores.good_until_on.max(), **best
    )


INNER = ("score_at", "score_until", *(f"score_{name}" for name in SAID))

FAMILY = Family(
    name="scores",
    meaning="What models said of the person last; shown by `prediction` while it counts.",
    columns=(),
    how=RowTally(build_scores, {}, newest=INNER),
    tables=("scores",),
    inner=INNER,
    is_known=lambda facts: facts.has_scores,
)
