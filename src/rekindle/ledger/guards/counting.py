"""What one look at a ledger should tell: who can be written to, and which journeys run."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from rekindle.journeys import JourneyVersion
from rekindle.ledger import models
from rekindle.ledger.queries import ledger_errors
from rekindle.ledger.versions import Versions
from rekindle.messages import LISTED, AddressKind

EVERY = "*"


@dataclass(frozen=True, slots=True)
class Reach:
    """How many people a channel could write to, and why not the others.

    ``agreed`` said yes, have an address and are not suppressed themselves; the other counts
    overlap. Whoever was erased is not among the ``people``.
    """

    people: int
    agreed: int
    withdrew: int
    silent: int
    unreachable: int
    suppressed: int


@ledger_errors()
def count_reach(alias: str, channel: str, kind: str, *, needs_consent: bool = True) -> Reach:
    """Count whom a channel that writes to addresses of this kind could reach.

    Where it needs nobody's consent, who did not say no has ``agreed``.
    """
    people = models.Person.objects.using(alias).filter(erased_at=None)
    nowhere = _nowhere(alias, kind)
    suppressed = models.Suppression.objects.using(alias).filter(
        Q(channel=channel) | Q(channel=EVERY), person__isnull=False
    )
    away = Q(pk__in=suppressed.values("person"))
    yes, no = Q(statements__contains=f"{channel}+"), Q(statements__contains=f"{channel}-")
    return Reach(
        people=people.count(),
        agreed=(people.filter(yes) if needs_consent else people.exclude(no))
        .exclude(nowhere)
        .exclude(away)
        .count(),
        withdrew=people.filter(no).count(),
        silent=people.exclude(yes).exclude(no).count(),
        unreachable=people.filter(nowhere).count(),
        suppressed=people.filter(away).count(),
    )


def _nowhere(alias: str, kind: str) -> Q:
    """Return who has no address of a kind."""
    if kind == AddressKind.PERSON:
        return Q(pk__in=())
    if kind in LISTED:
        held = models.Address.objects.using(alias).filter(kind=kind, retired_at=None)
        return ~Q(pk__in=held.values("person"))
    if kind == AddressKind.PHONE:  # kept as it is dialled from abroad, where that is known
        return Q(phone__isnull=True) | ~Q(phone__startswith="+")
    return Q(address__isnull=True) | Q(address="")


def running_versions(alias: str) -> list[JourneyVersion]:
    """Return the newest version of every journey that takes new people."""
    return Versions(alias).running()
