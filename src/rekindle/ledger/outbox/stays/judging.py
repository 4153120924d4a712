"""Reads the stays that the gate is to be asked about again, with everything it has to know."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from rekindle.gate import BookRules, Dossier
from rekindle.journeys import Journey
from rekindle.ledger import models
from rekindle.ledger.cancelling import hold_stays
from rekindle.ledger.outbox.leaving import Lease, load_standing
from rekindle.ledger.outbox.stays.queue import JUDGED_FOR
from rekindle.ledger.queries import ledger_errors, ledger_transaction
from rekindle.ledger.versions import Versions
from rekindle.vocabulary import Purpose

JUDGED_AGAIN_AFTER = timedelta(hours=20)
"""Once a day it is asked of everybody: permission runs out by law, which nothing records."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A stay, and what bears on whether it may go on."""

    stay: int
    dossier: Dossier
    purpose: Purpose
    topic: str


@ledger_errors()
def load_stays_to_judge(alias: str, terms: BookRules, at: datetime, *, limit: int) -> list[Judged]:
    """Return the stays to judge anew, the oldest first."""
    versions = Versions(alias)

    def find(journey: str, version: int) -> Journey:
        return versions.find(journey, version).journey

    rows = models.Stay.objects.using(alias).filter(requested_at=None)
    stale = Q(judged_at=None) | Q(judged_at__lte=at - JUDGED_AGAIN_AFTER)
    waiting = Q(added_at=None, judged_at__lte=at - JUDGED_FOR)
    numbers = dict(rows.filter(stale | waiting).order_by("pk").values_list("touch", "pk")[:limit])
    if not numbers:
        return []
    lease = Lease("", at, timedelta())
    found = load_standing(alias, find, sorted(numbers), lease=lease, terms=terms)
    return [
        Judged(numbers[touch], dossier, journey.purpose, journey.topic)
        for touch, dossier, journey in found
    ]


def note_judged(alias: str, stays: Collection[int], at: datetime) -> None:
    """Write down that the gate lets stays go on."""
    with ledger_transaction(alias):
        rows = models.Stay.objects.using(alias).filter(pk__in=stays, requested_at=None)
        hold_stays(rows).update(judged_at=at)
