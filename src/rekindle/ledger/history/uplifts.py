"""The models of whom a journey moves, and whom they held back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from rekindle.gate import HELD_BACK, SENT_TO_LEARN
from rekindle.ledger import intake_models
from rekindle.ledger.history.worth import MeasuredDecision, load_first_weighed, load_weighed
from rekindle.ledger.queries import ledger_errors


@dataclass(frozen=True, slots=True)
class UpliftEntry:
    """A model of a journey as it was learned; ``trouble`` says why it excludes nobody.

    ``content`` is a digest of what the journey's messages said. ``messages`` is how many each of
    the ``people`` learned from got, ``scored`` of how many its figures are kept, as of
    ``scored_at``. The Qini has its interval at 95 %.
    """

    journey: str
    version: int
    found_at: datetime
    content: str
    scored_at: datetime | None = None
    good_until: date | None = None
    people: int = 0
    scored: int = 0
    messages: float | None = None
    qini: float | None = None
    qini_low: float | None = None
    qini_high: float | None = None
    trouble: str = ""


@ledger_errors()
def load_uplifts(
    alias: str, journey: str, version: int, *, before: datetime | None = None
) -> tuple[UpliftEntry | None, str]:
    """Return the newest model of a version by then, and what its messages said at the first."""
    rows = intake_models.JourneyUplift.objects.using(alias).filter(journey=journey, version=version)
    if before is not None:
        rows = rows.filter(found_at__lte=before)
    first, newest = (rows.order_by(*order).first() for order in (_OLDEST, _NEWEST))
    if first is None or newest is None:
        return None, ""
    return (
        UpliftEntry(
            newest.journey,
            newest.version,
            newest.found_at,
            newest.content,
            newest.scored_at,
            newest.good_until_on,
            newest.people,
            newest.scored,
            newest.messages,
            newest.qini,
            newest.qini_low,
            newest.qini_high,
            newest.trouble,
        ),
        first.content,
    )


@ledger_errors()
def note_uplift(alias: str, found: UpliftEntry) -> None:
    """Remember a model; the newest of a version counts."""
    intake_models.JourneyUplift.objects.using(alias).create(
        journey=found.journey,
        version=found.version,
        found_at=found.found_at,
        content=found.content,
        scored_at=found.scored_at,
        good_until_on=found.good_until,
        people=found.people,
        scored=found.scored,
        messages=found.messages,
        qini=found.qini,
        qini_low=found.qini_low,
        qini_high=found.qini_high,
        trouble=found.trouble,
    )


@ledger_errors()
def load_held_back(alias: str, journey: str) -> Sequence[MeasuredDecision]:
    """Return the decisions about treated people that their own figures made, oldest first.

    ``is_kept_on`` are those who were written to all the same.
    """
    return load_weighed(alias, journey, f"{HELD_BACK}:", f"{SENT_TO_LEARN} ")


@ledger_errors()
def load_first_held_back(alias: str, journey: str, version: int) -> datetime | None:
    """Return when somebody was first held back in a version, for what is known of them."""
    first = load_first_weighed(alias, journey, version, f"{HELD_BACK}:")
    return min(first.values(), default=None)


_OLDEST, _NEWEST = ("found_at", "id"), ("-found_at", "-id")
