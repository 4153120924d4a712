"""The read side: what was decided, what left and what it cost, for people to see.

Frozen values, read set-based; nothing here changes the ledger.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min, Q

from rekindle.consent import NO_PREFERENCES, ConsentRecord, Exclusion, Preferences
from rekindle.journeys import Covariates, Person
from rekindle.ledger import intake_models, models
from rekindle.ledger.book.own_words import read_properties
from rekindle.ledger.history.model import (
    DecisionCount,
    DecisionEntry,
    EnrolmentEntry,
    ExclusionEntry,
    HeardEntry,
    JourneyEntry,
    MessageEntry,
    SignalEntry,
    SuppressionEntry,
)
from rekindle.ledger.models import JourneyState, MessageState
from rekindle.ledger.papers import event_of, kind_of, load_wishes
from rekindle.ledger.queries import fetch, ledger_errors, rows_of
from rekindle.ledger.signals import EVERY, LIFTED
from rekindle.ledger.statements import MISREAD
from rekindle.messages import DeliveryKind
from rekindle.vocabulary import Answer, Arm, Channel, Purpose, Reason, SignalKind


class History:
    """What one ledger remembers. Every method raises LedgerError when it cannot be read."""

    def __init__(self, alias: str) -> None:
        self._alias = alias

    @ledger_errors()
    def person(self, person: str) -> Person | None:
        """Return a person's contact card, or None."""
        return self.people([person]).get(person)

    @ledger_errors()
    def is_erased(self, person: str) -> bool:
        """Return whether a person was forgotten."""
        rows = models.Person.objects.using(self._alias).filter(pk=person)
        return rows.exclude(erased_at=None).exists()

    @ledger_errors()
    def people_at(self, address_hash: str) -> Sequence[str]:
        """Return who has the address or number with this hash, on their card or beside it."""
        return [person for (person,) in fetch(self._alias, "people_at", *[address_hash] * 3)]

    def people(self, people: Collection[str]) -> Mapping[str, Person]:
        """Return the contact cards of a batch of people, by id, for those who have one."""
        asked = rows_of((person,) for person in set(people) if _may_be_on_record(person))
        cards = fetch(self._alias, "contact_cards", asked)
        return {
            id_: Person(id_, address, country, timezone, read_properties(properties), phone)
            for id_, address, country, timezone, properties, phone in cards
        }

    @ledger_errors()
    def consents_of(self, person: str) -> Sequence[ConsentRecord]:
        """Return every statement of will of a person, oldest first."""
        return self.consents_among([person])

    @ledger_errors()
    def consents_among(self, people: Collection[str]) -> Sequence[ConsentRecord]:
        """Return every statement of will of a batch of people, oldest first."""
        rows = models.Consent.objects.using(self._alias).filter(person__in=list(people))
        rows = rows.exclude(channel__startswith=MISREAD)
        return [
            ConsentRecord(
                row.person_id,
                Channel(row.channel),
                row.granted,
                row.at,
                row.source,
                row.wording,
            )
            for row in rows.order_by("at", "id")
        ]

    @ledger_errors()
    def people_who_did(
        self, events: Collection[str], *, since: datetime, until: datetime
    ) -> Sequence[str]:
        """Return who did one of these events between two instants, by the names journeys know."""
        kinds = {kind.value for kind in SignalKind if kind.value in events}
        rows = models.Signal.objects.using(self._alias).filter(
            Q(kind__in=kinds) | Q(kind=SignalKind.EVENT.value, name__in=list(events)),
            at__gte=since,
            at__lte=until,
            is_void=False,
        )
        reports = intake_models.Event.objects.using(self._alias).filter(
            deed__in=list(events), at__gte=since, at__lte=until
        )
        found = {
            *rows.values_list("person_id", flat=True),
            *reports.values_list("person", flat=True),
        }
        return sorted(one for one in found if one)

    @ledger_errors()
    def contacted(self, before: datetime) -> frozenset[str]:
        """Return who was written to before an instant, or may have been."""
        rows = models.Touch.objects.using(self._alias).filter(
            Q(accepted_at__lt=before) | Q(state=models.MessageState.UNKNOWN, at__lt=before)
        )
        return frozenset(rows.values_list("person_id", flat=True).distinct())

    @ledger_errors()
    def decisions_of(self, person: str) -> Sequence[DecisionEntry]:
        """Return every decision made about a person, oldest first."""
        rows = models.Decision.objects.using(self._alias).filter(enrolment__person=person)
        return [_decision(row) for row in rows.select_related("enrolment").order_by("at", "id")]

    @ledger_errors()
    def set_aside(self, most: int = 100) -> Sequence[DecisionEntry]:
        """Return the latest decision about each person who is set aside, the newest first."""
        held = models.Decision.objects.using(self._alias).filter(
            reason=Reason.SET_ASIDE.value, enrolment__ended_at=None
        )
        newest = held.values("enrolment").annotate(last=Max("id")).values("last")
        rows = held.filter(pk__in=newest).select_related("enrolment").order_by("-id")
        return [_decision(row) for row in rows[:most]]

    @ledger_errors()
    def enrolments_of(self, journey: str) -> Sequence[EnrolmentEntry]:
        """Return every enrolment in a journey, in the order people entered."""
        return self._enrolments(journey=journey)

    @ledger_errors()
    def enrolments_of_person(self, person: str) -> Sequence[EnrolmentEntry]:
        """Return every enrolment of a person, in the order they entered."""
        return self._enrolments(person=person)

    @ledger_errors()
    def reserved(self, month: str) -> Mapping[str, int]:
        """Return what is spent or spoken for of each budget in a local month, in micros."""
        rows = models.Budget.objects.using(self._alias).filter(month=month)
        return dict(rows.values_list("name", "reserved_micros"))

    @ledger_errors()
    def assigned(self, journey: str) -> Mapping[str, Arm]:
        """Return the arm of everyone who was ever drawn for a journey."""
        rows = models.Assignment.objects.using(self._alias).filter(journey=journey)
        live = rows.filter(person__joined_to=None)
        return {person: Arm(arm) for person, arm in live.values_list("person", "arm")}

    @ledger_errors()
    def covariates(self, journey: str) -> Mapping[str, Covariates]:
        """Return what people were in the profile as they first entered, where it was kept."""
        rows = models.Assignment.objects.using(self._alias).filter(journey=journey)
        kept = rows.filter(person__joined_to=None).exclude(covariates={})
        return dict(kept.values_list("person", "covariates"))

    @ledger_errors()
    def arm_conflicts(self, journey: str) -> int:
        """Return how many were drawn into both arms, as two ids, before they were one person."""
        rows = models.Assignment.objects.using(self._alias).filter(journey=journey)
        gone = rows.exclude(person__joined_to=None)
        drawn = dict(rows.filter(person__joined_to=None).values_list("person", "arm"))
        pairs = gone.values_list("person__joined_to", "arm")
        return len({person for person, arm in pairs if drawn.get(person, arm) != arm})

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
        return self._messages(enrolment__journey=journey)

    @ledger_errors()
    def messages_of_person(self, person: str) -> Sequence[MessageEntry]:
        """Return every message meant for a person, with what was heard of it since.

        They come in the order they were decided.
        """
        rows = self._messages_rows(person=person)
        numbers = [row.pk for row in rows]
        heard: defaultdict[int, list[HeardEntry]] = defaultdict(list)
        told = models.Delivery.objects.using(self._alias).filter(touch__in=numbers)
        for one in told.order_by("at", "id"):
            entry = HeardEntry(DeliveryKind(one.kind), one.at, one.is_machine)
            heard[int(one.touch or 0)].append(entry)
        kept = models.Kept.objects.using(self._alias).filter(touch__in=numbers)
        until = dict(kept.values_list("touch", "until"))
        return [
            replace(_message(row), heard=tuple(heard[row.pk]), kept_until=until.get(row.pk))
            for row in rows
        ]

    @ledger_errors()
    def journeys(self) -> Mapping[str, JourneyEntry]:
        """Return every journey that was ever started here, by name."""
        numbers = models.JourneyVersion.objects.using(self._alias).values_list("name")
        newest = dict(numbers.annotate(newest=Max("version")))
        return {
            row.name: JourneyEntry(
                name=row.name,
                state=JourneyState(row.state),
                opened_at=row.opened_at,
                changed_at=row.changed_at,
                version=newest.get(row.name, 0),
            )
            for row in models.Journey.objects.using(self._alias).order_by("name")
        }

    @ledger_errors()
    def preferences_of(self, person: str) -> Preferences:
        """Return what a person asked for beside "never"."""
        return load_wishes(self._alias, [person]).get(person, NO_PREFERENCES)

    @ledger_errors()
    def suppressions_of(self, person: str) -> Sequence[SuppressionEntry]:
        """Return where a person, or the address they have now, is suppressed, oldest first.

        One entry a channel, purpose and reason: the earliest.
        """
        card = models.Person.objects.using(self._alias).filter(pk=person).first()
        hashes = [one for one in (card.address_hash, card.phone_hash) if one] if card else []
        rows = models.Suppression.objects.using(self._alias)
        found: dict[tuple[str, str, str], SuppressionEntry] = {}
        mine = Q(person=person) | Q(address_hash__in=hashes)
        for row in rows.filter(mine).exclude(channel=LIFTED).order_by("at", "id"):
            entry = SuppressionEntry(
                channel=None if row.channel == EVERY else Channel(row.channel),
                purpose=None if row.purpose == EVERY else Purpose(row.purpose),
                reason=row.reason,
                at=row.at,
            )
            found.setdefault((row.channel, row.purpose, row.reason), entry)
        return list(found.values())

    @ledger_errors()
    def exclusions_of(self, person: str) -> Sequence[ExclusionEntry]:
        """Return why the business does not write to a person, or did not, oldest first."""
        rows = models.Exclusion.objects.using(self._alias).filter(person=person)
        return [
            ExclusionEntry(Exclusion(row.kind), row.at, row.until)
            for row in rows.order_by("at", "id")
        ]

    @ledger_errors()
    def signals_of(self, person: str, limit: int = 1000) -> Sequence[SignalEntry]:
        """Return the newest ``limit`` things that happened to a person, oldest first."""
        signals = models.Signal.objects.using(self._alias).filter(person=person, is_void=False)
        events = intake_models.Event.objects.using(self._alias).filter(person=person)
        done = events.exclude(deed=None)
        found = [_signal(row) for row in signals.order_by("-at", "-id")[:limit]]
        found += [_event(row) for row in done.order_by("-at", "-id")[:limit]]
        found.reverse()
        return sorted(found, key=lambda entry: entry.at)[-limit:]

    def _enrolments(self, **where: str) -> list[EnrolmentEntry]:
        rows = models.Enrolment.objects.using(self._alias).filter(**where)
        seen = rows.annotate(first_touch_at=Min("touches__at"), due_at=Min("place__due_at"))
        return [_enrolment(row) for row in seen.order_by("entered_at", "id")]

    def _messages(self, **where: str) -> list[MessageEntry]:
        return [_message(row) for row in self._messages_rows(**where)]

    def _messages_rows(self, **where: str) -> list[models.Touch]:
        rows = models.Touch.objects.using(self._alias).filter(**where)
        rows = rows.exclude(state=MessageState.GHOST).select_related("enrolment")
        return list(rows.order_by("at", "id"))


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


def _enrolment(row: Any) -> EnrolmentEntry:
    """Return a row of enrolments with what was added to it."""
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
        first_touch_at=row.first_touch_at,
    )


def _message(row: models.Touch) -> MessageEntry:
    enrolment = row.enrolment
    return MessageEntry(
        person=row.person_id,
        journey=enrolment.journey,
        version=row.version,
        rotation=enrolment.rotation,
        step=row.step,
        channel=Channel(row.channel),
        template=row.template,
        variant=row.variant,
        state=MessageState(row.state),
        reason=_reason(row.reason),
        error=row.last_error,
        created_at=row.at,
        accepted_at=row.accepted_at,
        cost_micros=row.cost_micros,
    )


def _signal(row: models.Signal) -> SignalEntry:
    event = event_of(row.kind, row.name)
    return SignalEntry(SignalKind(row.kind), event, row.at, row.recorded_at)


def _event(row: intake_models.Event) -> SignalEntry:
    event = str(row.deed)
    return SignalEntry(kind_of(event), event, row.at, row.received_at)


def _may_be_on_record(person: str) -> bool:
    """Return whether a database can hold this id: half a surrogate is no text."""
    return not any("\ud800" <= one <= "\udfff" for one in person)
