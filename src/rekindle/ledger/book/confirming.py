"""Keeps each yes that waits for its confirmation, and says which still do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from rekindle.consent import (
    ConsentRecord,
    PendingConsent,
    PendingState,
    judge_pending,
)
from rekindle.ledger import models
from rekindle.ledger.history import History
from rekindle.ledger.queries import ledger_errors
from rekindle.ledger.signals import know_people
from rekindle.vocabulary import Channel, Purpose


def add_pending(alias: str, told: Iterable[PendingConsent]) -> list[PendingConsent]:
    """Append each yes that is not on record yet, and return those; in a transaction.

    Of who was erased nothing is kept.
    """
    given = {(one.person, one.channel, one.at): one for one in told}
    people = {one.person for one in given.values()}
    know_people(alias, people)
    cards = models.Person.objects.using(alias).filter(pk__in=people, erased_at__isnull=False)
    erased = set(cards.values_list("pk", flat=True))
    given = {place: one for place, one in given.items() if one.person not in erased}
    known = {(one.person, one.channel, one.at) for one in load_pending(alias, people)}
    # In one order everywhere: two that append the same rows wait, not lock.
    fresh = [given[place] for place in sorted(given.keys() - known)]
    models.PendingConsent.objects.using(alias).bulk_create(
        [
            models.PendingConsent(
                person_id=one.person,
                channel=one.channel.value,
                at=one.at,
                source=one.source,
                wording=one.wording,
            )
            for one in fresh
        ],
        ignore_conflicts=True,
    )
    return fresh


@ledger_errors()
def load_pending(alias: str, people: Collection[str]) -> Sequence[PendingConsent]:
    """Return each yes of these people that waited for a confirmation, oldest first."""
    rows = models.PendingConsent.objects.using(alias).filter(person__in=list(people))
    return [
        PendingConsent(row.person_id, Channel(row.channel), row.at, row.source, row.wording)
        for row in rows.order_by("at", "id")
    ]


def judge_all(
    alias: str, people: Collection[str], at: datetime, within: timedelta
) -> list[tuple[PendingConsent, PendingState]]:
    """Return each yes of these people that waited, with what became of it, oldest first."""
    told = load_pending(alias, people)
    if not told:
        return []
    history = History(alias)
    waiting = {one.person for one in told}
    said: defaultdict[str, list[ConsentRecord]] = defaultdict(list)
    for record in history.consents_among(waiting):
        said[record.person].append(record)
    stops = {person: history.suppressions_of(person) for person in waiting}
    return [
        (
            one,
            judge_pending(
                one,
                said[one.person],
                [
                    (stop.reason, stop.at)
                    for stop in stops[one.person]
                    if stop.channel in (None, one.channel)
                    and stop.purpose in (None, Purpose.MARKETING)
                ],
                at=at,
                within=within,
            ),
        )
        for one in told
    ]


def load_unconfirmed(
    alias: str, people: Collection[str], at: datetime, within: timedelta
) -> Mapping[tuple[str, Channel], PendingConsent]:
    """Return the newest yes of each person and channel that may be confirmed at ``at``."""
    return {
        (one.person, one.channel): one
        for one, state in judge_all(alias, people, at, within)
        if state is PendingState.OPEN and one.at <= at
    }
