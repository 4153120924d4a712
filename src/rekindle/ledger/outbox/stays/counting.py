"""How stays stand: on which lists somebody is, and which removals are not effective yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min, Q

from rekindle.ledger import models
from rekindle.ledger.queries import ledger_errors


@dataclass(frozen=True, slots=True)
class StayEntry:
    """Somebody's stay on one list; ``requested_at`` is when it was asked to end, for ``reason``.

    ``taken_at`` is when whoever keeps the list took that, ``effective_at`` when it was done. One
    without a ``destination`` is of a message that could be called back until ``until``;
    ``request`` says whether it was.
    """

    destination: str
    outlet: str
    at: datetime
    until: datetime
    told_at: datetime | None = None
    requested_at: datetime | None = None
    reason: str = ""
    taken_at: datetime | None = None
    effective_at: datetime | None = None
    request: str = ""
    last_error: str = ""


@dataclass(frozen=True, slots=True)
class ListTally:
    """One list: who is on it, is to be put on, and is to be taken off.

    ``requested`` counts removals asked for and not taken yet, ``taken`` those taken and not yet
    effective; ``oldest_at`` is when the oldest of both was asked for. ``error`` is the newest.
    """

    channel: str
    outlet: str
    destination: str
    members: int
    waiting: int
    requested: int
    taken: int
    oldest_at: datetime | None
    error: str


@ledger_errors()
def load_stays_of(alias: str, person: str) -> list[StayEntry]:
    """Return the stays of one person, the oldest first."""
    names = list(StayEntry.__dataclass_fields__)
    rows = models.Stay.objects.using(alias).filter(person=person).order_by("at", "pk")
    return [StayEntry(**row) for row in rows.values(*names)]


@ledger_errors()
def tally_lists(alias: str) -> list[ListTally]:
    """Return how every list stands that has anybody, by name."""
    rows = models.Stay.objects.using(alias).filter(effective_at=None).exclude(destination="")
    live, leaving = Q(requested_at=None), Q(requested_at__isnull=False)
    counted = rows.values("channel", "outlet", "destination").annotate(
        members=Count("pk", filter=live & Q(added_at__isnull=False)),
        waiting=Count("pk", filter=live & Q(added_at=None)),
        requested=Count("pk", filter=leaving & Q(taken_at=None)),
        taken=Count("pk", filter=leaving & Q(taken_at__isnull=False)),
        oldest_at=Min("requested_at"),
        error=Max("last_error"),
    )
    return [ListTally(**row) for row in counted.order_by("channel", "outlet", "destination")]
