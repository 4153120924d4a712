"""Who let messages leave that had been stopped: nothing is taken away, an end is added."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q

from rekindle.gate import OVERRULED, Overrule
from rekindle.ledger import intake_models
from rekindle.ledger.queries import fetch, ledger_errors


@ledger_errors()
def load_overrules(alias: str, journey: str | None = None) -> Sequence[Overrule]:
    """Return every overrule, of one journey or of all, oldest first, each as long as it held."""
    rows = intake_models.Overrule.objects.using(alias).order_by("at", "id")
    if journey is not None:
        rows = rows.filter(journey=journey)
    return [
        Overrule(
            row.journey,
            row.who,
            row.why,
            row.at,
            row.until if row.ended_at is None else min(row.until, row.ended_at),
            row.subgroup,
            row.step,
        )
        for row in rows
    ]


@ledger_errors()
def note_overrule(alias: str, made: Overrule) -> None:
    """Remember an overrule; a newer one stands beside it."""
    intake_models.Overrule.objects.using(alias).create(
        journey=made.journey,
        subgroup=made.subgroup,
        step=made.step,
        who=made.who,
        why=made.why,
        at=made.at,
        until=made.until,
    )


@ledger_errors()
def end_overrules(alias: str, journey: str, at: datetime, who: str) -> int:
    """End every overrule of a journey that still holds; return how many."""
    rows = intake_models.Overrule.objects.using(alias).filter(journey=journey, until__gt=at)
    return rows.filter(Q(ended_at=None) | Q(ended_at__gt=at)).update(ended_at=at, ended_by=who)


@ledger_errors()
def count_overruled(alias: str, journey: str) -> tuple[int, int]:
    """Return how many messages of a journey left by an overrule, and their cost in micros."""
    count, micros = fetch(alias, "overruled_messages", journey, f"{OVERRULED} by %")[0]
    return count, int(micros)
