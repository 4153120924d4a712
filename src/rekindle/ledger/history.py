"""The read side: what was decided, what left and what it cost, for people to see.

Frozen values, read set-based; nothing here changes the ledger.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Sum

from rekindle.consent import ConsentRecord
from rekindle.journeys import Person
from rekindle.ledger import models
from rekindle.ledger.models import MessageState
from rekindle.ledger.queries import ledger_errors
from rekindle.vocabulary import Answer, Arm, Channel, Reason


@dataclass(frozen=True, slots=True)
class DecisionEntry:
    """One answer of the gate about one person; ``is_ghost`` when they are held out."""

    journey: str
    version: int
    rotation: int
    step: str
    at: datetime
    answer: Answer
    reason: Reason | None
    until: datetime | None
    is_ghost: bool
    detail: str


@dataclass(frozen=True, slots=True)
class DecisionCount:
    """How often the gate gave this answer for this reason in one arm."""

    answer: Answer
    reason: Reason | None
    is_ghost: bool
    count: int


@dataclass(frozen=True, slots=True)
class EnrolmentEntry:
    """One enrolment as it stands. ``first_touch_at`` counts a ghost's touch as well."""

    person: str
    journey: str
    version: int
    rotation: int
    arm: Arm
    entered_at: datetime
    last_order_at: datetime | None
    due_at: datetime
    ended_at: datetime | None
    ended_reason: Reason | None
    first_touch_at: datetime | None


@dataclass(frozen=True, slots=True)
class MessageEntry:
    """One message: ``accepted_at`` is when the provider took it, None if it has not.

    ``reason`` says why it was cancelled; ``error`` is the provider's last complaint.
    """

    person: str
    journey: str
    version: int
    rotation: int
    step: str
    channel: Channel
    template: str
    state: MessageState
    reason: Reason | None
    error: str
    created_at: datetime
    accepted_at: datetime | None
    cost_micros: int


class History:
    """What one ledger remembers. Every method raises LedgerError when it cannot be read."""

    def __init__(self, alias: str) -> None:
        self._alias = alias

    @ledger_errors()
    def person(self, person: str) -> Person | None:
        """Return a person's contact card, or None."""
        return self.people([person]).get(person)

    def people(self, people: Collection[str]) -> Mapping[str, Person]:
        """Return the contact cards of a batch of people, by id, for those who have one."""
        rows = models.Person.objects.using(self._alias).filter(pk__in=people)
        return {
            row.pk: Person(row.pk, row.address, row.country, row.timezone, row.properties)
            for row in rows
        }

    @ledger_errors()
    def consents_of(self, person: str) -> Sequence[ConsentRecord]:
        """Return every statement of will of a person, oldest first."""
        rows = models.Consent.objects.using(self._alias).filter(person=person)
        return [
            ConsentRecord(
                person, Channel(row.channel), row.granted, row.at, row.source, row.wording
            )
            for row in rows.order_by("at", "id")
        ]

    @ledger_errors()
    def decisions_of(self, person: str) -> Sequence[DecisionEntry]:
        """Return every decision made about a person, oldest first."""
        rows = models.Decision.objects.using(self._alias).filter(enrolment__person=person)
        return [_decision(row) for row in rows.select_related("enrolment").order_by("at", "id")]

    @ledger_errors()
    def enrolments_of(self, journey: str) -> Sequence[EnrolmentEntry]:
        """Return every enrolment in a journey, in the order people entered."""
        return self._enrolments(journey=journey)

    @ledger_errors()
    def enrolments_of_person(self, person: str) -> Sequence[EnrolmentEntry]:
        """Return every enrolment of a person, in the order they entered."""
        return self._enrolments(person=person)

    @ledger_errors()
    def assigned(self, journey: str) -> Mapping[str, Arm]:
        """Return the arm of everyone who was ever drawn for a journey."""
        rows = models.Assignment.objects.using(self._alias).filter(journey=journey)
        return {person: Arm(arm) for person, arm in rows.values_list("person", "arm")}

    @ledger_errors()
    def decision_counts(self, journey: str) -> Sequence[DecisionCount]:
        """Return how often each answer was given and why, the most frequent first."""
        rows = models.Decision.objects.using(self._alias).filter(enrolment__journey=journey)
        groups = rows.values_list("answer", "reason", "is_ghost").annotate(count=Count("id"))
        return [
            DecisionCount(Answer(answer), _reason(reason), is_ghost, count)
            for answer, reason, is_ghost, count in groups.order_by("-count", "answer", "reason")
        ]

    @ledger_errors()
    def messages_of(self, journey: str) -> Sequence[MessageEntry]:
        """Return every message of a journey, in the order they were decided."""
        return self._messages(touch__enrolment__journey=journey)

    @ledger_errors()
    def messages_of_person(self, person: str) -> Sequence[MessageEntry]:
        """Return every message meant for a person, in the order they were decided."""
        return self._messages(touch__person=person)

    @ledger_errors()
    def cost_of(self, journey: str) -> int:
        """Return what the accepted messages of a journey cost, in micros."""
        rows = models.Message.objects.using(self._alias).filter(
            touch__enrolment__journey=journey, state=MessageState.ACCEPTED
        )
        total = rows.aggregate(total=Sum("cost_micros"))["total"]
        return int(total or 0)

    def _enrolments(self, **where: str) -> list[EnrolmentEntry]:
        rows = models.Enrolment.objects.using(self._alias).filter(**where)
        seen = rows.annotate(first_touch_at=Min("touches__at")).order_by("entered_at", "id")
        return [_enrolment(row, row.first_touch_at) for row in seen]

    def _messages(self, **where: str) -> list[MessageEntry]:
        rows = models.Message.objects.using(self._alias).filter(**where)
        rows = rows.select_related("touch__enrolment").order_by("created_at", "touch")
        return [_message(row) for row in rows]


def _reason(word: str | None) -> Reason | None:
    return None if word is None else Reason(word)


def _decision(row: models.Decision) -> DecisionEntry:
    return DecisionEntry(
        journey=row.enrolment.journey,
        version=row.enrolment.version,
        rotation=row.enrolment.rotation,
        step=row.step,
        at=row.at,
        answer=Answer(row.answer),
        reason=_reason(row.reason),
        until=row.until,
        is_ghost=row.is_ghost,
        detail=row.detail,
    )


def _enrolment(row: models.Enrolment, first_touch_at: datetime | None) -> EnrolmentEntry:
    return EnrolmentEntry(
        person=row.person_id,
        journey=row.journey,
        version=row.version,
        rotation=row.rotation,
        arm=Arm(row.arm),
        entered_at=row.entered_at,
        last_order_at=row.last_order_at,
        due_at=row.due_at,
        ended_at=row.ended_at,
        ended_reason=_reason(row.ended_reason),
        first_touch_at=first_touch_at,
    )


def _message(row: models.Message) -> MessageEntry:
    touch = row.touch
    return MessageEntry(
        person=touch.person_id,
        journey=touch.enrolment.journey,
        version=touch.version,
        rotation=touch.enrolment.rotation,
        step=touch.step,
        channel=Channel(row.channel),
        template=row.template,
        state=MessageState(row.state),
        reason=_reason(row.reason),
        error=row.last_error,
        created_at=row.created_at,
        accepted_at=row.accepted_at,
        cost_micros=row.cost_micros,
    )
