"""How much there is at this instant: people in journeys, and messages on their way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q

from rekindle.ledger import models
from rekindle.ledger.history.history import History
from rekindle.ledger.models import JourneyState, MessageState
from rekindle.ledger.queries import ledger_errors
from rekindle.vocabulary import Answer, Reason


@dataclass(frozen=True, slots=True)
class JourneyTally:
    """A journey, and how many people are in it; of them due now, and held by the gate."""

    name: str
    version: int
    state: JourneyState
    open: int
    due: int
    held: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Messages that may leave now, and since when the oldest may; those leaving, and stuck.

    ``later`` wait for their hour. ``unknown`` may have left, ``failed`` were given up.
    """

    ready: int
    oldest_at: datetime | None
    later: int
    leaving: int
    unknown: int
    failed: int


@ledger_errors()
def tally_journeys(alias: str, at: datetime) -> list[JourneyTally]:
    """Return every journey that was started and not stopped, by name."""
    places = models.Place.objects.using(alias).values_list("enrolment__journey")
    numbers = {
        name: (count, due)
        for name, count, due in places.annotate(
            count=Count("pk"), due=Count("pk", filter=Q(due_at__lte=at))
        )
    }
    holds = models.Decision.objects.using(alias).filter(
        answer=Answer.HOLD.value, until__gt=at, enrolment__ended_at=None
    )
    held = dict(
        holds.values_list("enrolment__journey").annotate(count=Count("enrolment", distinct=True))
    )
    return [
        JourneyTally(
            one.name, one.version, one.state, *numbers.get(one.name, (0, 0)), held.get(one.name, 0)
        )
        for one in History(alias).journeys().values()
        if one.state is not JourneyState.STOPPED
    ]


@ledger_errors()
def tally_messages(alias: str, at: datetime) -> Waiting:
    """Return how many messages wait, leave or are stuck; an index holds the answer."""
    touches = models.Touch.objects.using(alias)
    queued = touches.filter(state=MessageState.QUEUED)
    now = queued.filter(not_before__lte=at).aggregate(count=Count("pk"), since=Min("not_before"))
    stuck = touches.exclude(reason=Reason.BOUNCE.value)
    return Waiting(
        ready=now["count"],
        oldest_at=now["since"],
        later=queued.filter(not_before__gt=at).count(),
        leaving=touches.filter(state__in=(MessageState.LEASED, MessageState.SENDING)).count(),
        unknown=stuck.filter(state=MessageState.UNKNOWN).count(),
        failed=stuck.filter(state=MessageState.FAILED).count(),
    )
