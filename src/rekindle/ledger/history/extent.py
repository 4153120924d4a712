"""How far a ledger has come, by which an older copy of it can be told apart.

The rows counted here are added and never removed, so every number grows for as long as it
is the same ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Max, Model

from rekindle.ledger import intake_models, models
from rekindle.ledger.queries import fetch, instant_or_none, ledger_errors

GROWING = (
    "enrolments",
    "touches",
    "signals",
    "reports",
    "consents",
    "unconfirmed consents",
    "suppressions",
    "decisions",
    "versions",
    "entries of the log",
)
"""What the query ``extent`` counts, in its order."""
ACCEPTED = "accepted"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def load_extent(alias: str) -> Mapping[str, int]:
    """Return the newest row of each table that only grows, by its name.

    ``accepted`` is the newest time at which a provider took a message, in microseconds
    since 1970; 0 where there is nothing.
    """
    # A pass asks several times, so it is one question.
    ((*newest, accepted),) = fetch(alias, "extent")
    accepted_at = instant_or_none(accepted)
    since = timedelta(0) if accepted_at is None else accepted_at - EPOCH
    found = dict(zip(GROWING, newest, strict=True))
    return {**found, ACCEPTED: since // timedelta(microseconds=1)}


@ledger_errors()
def load_newest_write(alias: str) -> datetime | None:
    """Return when something was last entered, decided, sent or recorded; None if never.

    It reads whole tables, for the rare question of how old a copy is.
    """
    found = (
        _newest(alias, models.Enrolment, "entered_at"),
        _newest(alias, models.Decision, "at"),
        _newest(alias, models.Touch, "accepted_at"),
        _newest(alias, models.Signal, "recorded_at"),
        _newest(alias, intake_models.Event, "received_at"),
    )
    return max((at for at in found if at is not None), default=None)


def _newest(alias: str, model: type[Model], column: str) -> Any:
    return model._default_manager.using(alias).aggregate(newest=Max(column))["newest"]
