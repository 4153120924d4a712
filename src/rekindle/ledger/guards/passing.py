"""When a worker last came through, for whoever asks whether one is at work."""

from __future__ import annotations

from datetime import datetime

from rekindle.ledger import models
from rekindle.ledger.queries import ledger_errors

NAME = "rekindle: last pass"


@ledger_errors()
def note_pass(alias: str, at: datetime) -> None:
    """Write down that a worker came through, or is still at it, at ``at``."""
    models.Meter.objects.using(alias).update_or_create(name=NAME, defaults={"at": at})


@ledger_errors()
def load_last_pass(alias: str) -> datetime | None:
    """Return when a worker last came through; None if none ever did."""
    rows = models.Meter.objects.using(alias).filter(name=NAME)
    return rows.values_list("at", flat=True).first()
