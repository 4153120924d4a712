"""When a worker last came through, and what all workers together have done since the beginning.

Figures that only grow are kept in the ledger, so that they are whole however many workers
there are, and go on after a restart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from rekindle.ledger import models
from rekindle.ledger.queries import (
    BAR,
    errors_met,
    execute,
    ledger_errors,
    ledger_transaction,
    rows_of,
    text_of,
)

NAME = "rekindle: last pass"
IMPORT = "rekindle: last import"
COUNT = "rekindle: count" + BAR
DATABASE_ERRORS = ("database_errors",)

Figure = tuple[str, ...]
"""A family of figures and its labels: ``("decisions", "skip", "held_out")``."""


@ledger_errors()
def note_pass(alias: str, at: datetime) -> None:
    """Write down that a worker came through, or is still at it, at ``at``."""
    models.Meter.objects.using(alias).update_or_create(name=NAME, defaults={"at": at})


@ledger_errors()
def load_last_pass(alias: str) -> datetime | None:
    """Return when a worker last came through; None if none ever did."""
    return _instant(alias, NAME)


@ledger_errors()
def note_import(alias: str, at: datetime) -> None:
    """Write down of when the facts are that a pass looked at."""
    models.Meter.objects.using(alias).update_or_create(name=IMPORT, defaults={"at": at})


@ledger_errors()
def load_last_import(alias: str) -> datetime | None:
    """Return when the facts were imported that a pass last looked at; None before the first."""
    return _instant(alias, IMPORT)


def add_counts(alias: str, counts: Mapping[Figure, int], at: datetime) -> None:
    """Add to the figures, with the errors of the database that this process met since."""
    met = errors_met.total()
    found = +Counter(counts)  # without those that are 0
    found[DATABASE_ERRORS] += met
    # In one order, so that two workers do not wait for each other.
    when = text_of(at)
    rows = sorted((COUNT + BAR.join(name), number, when) for name, number in found.items())
    with ledger_transaction(alias):
        execute(alias, "add_counts", rows_of(rows))
    errors_met.subtract({"database": met})


@ledger_errors()
def load_counts(alias: str) -> Mapping[Figure, int]:
    """Return every figure of all workers, and the errors that nobody has written down yet."""
    rows = models.Meter.objects.using(alias).filter(name__startswith=COUNT)
    found = {
        tuple(name.removeprefix(COUNT).split(BAR)): int(number)
        for name, number in rows.values_list("name", "used")
    }
    found[DATABASE_ERRORS] = found.get(DATABASE_ERRORS, 0) + errors_met.total()
    return found


def _instant(alias: str, name: str) -> datetime | None:
    rows = models.Meter.objects.using(alias).filter(name=name)
    return rows.values_list("at", flat=True).first()
