"""Leaving: why the person said they left, when they were last asked."""

from __future__ import annotations

import ibis.expr.types as ir

from rekindle.facts import Facts
from rekindle.profiles.model import Family, ProfileColumn, RowTally

ASKED = "left_because_"


def build_answers(facts: Facts) -> ir.Table:
    """Return one row a person and instant of an answer; of several, the last by the alphabet."""
    events = facts.events
    events = events.filter(events.customer_id.notnull() & events.event.startswith(ASKED))
    reason = events.event.substr(len(ASKED)).nullif("")
    told = events.select("customer_id", at=events.occurred_at, reason=reason)
    told = told.filter(told.reason.notnull())
    answers = told.group_by("customer_id", "at").agg(left_because=told.reason.max())
    return answers.mutate(left_because_at=answers["at"].cast("timestamp('UTC', 6)"))


FAMILY = Family(
    name="leaving",
    meaning="Why the person said they left, as the page on leaving asks, or events tell.",
    columns=(
        ProfileColumn(
            "left_because",
            "text",
            "",
            "Their newest answer: the word after `left_because_` in an event's name, as "
            "`too_often`, `not_relevant` or `bad_experience`.",
            place=440,
            is_covariate=True,
        ),
        ProfileColumn("left_because_at", "instant", "UTC", "When they said it.", place=441),
    ),
    how=RowTally(build_answers, {}, newest=("left_because", "left_because_at")),
    tables=("events",),
    is_known=lambda facts: facts.has_events,
)
