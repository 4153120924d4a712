"""The outbox: what is to leave, who is sending it, and what became of it.

A message is claimed with a lease, checked once more at the last moment and marked
before the provider is asked. So a crash leaves a message whose fate is unknown,
never one that is sent again by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from rekindle.journeys import Enrolment, Signal
from rekindle.ledger import models
from rekindle.ledger.book import enrolment_of
from rekindle.ledger.models import STUCK, MessageState
from rekindle.ledger.queries import ledger_errors, ledger_transaction
from rekindle.ledger.signals import is_return, record_signals
from rekindle.ledger.versions import Versions
from rekindle.vocabulary import Channel, Purpose, Reason, SignalKind

MAX_CLAIM = 10_000
"""Messages one claim may take; SQLite carries at most 32,766 variables a statement."""


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """A message this worker holds until ``lease_until``.

    ``key`` is the touch's identity as 64 hex digits: the same for ever, fit for a
    file name, a Message-ID and a provider's idempotency key. ``address`` is empty
    when the person has none any more. ``attempts`` counts earlier tries.
    """

    touch: int
    key: str
    person: str
    address: str
    journey: str
    version: int
    step: str
    template: str
    channel: Channel
    cost_micros: int
    created_at: datetime
    worker: str
    lease: timedelta
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Recovered:
    """How many messages of lost workers went back to the queue, or became unknown."""

    queued: int
    unknown: int


@dataclass(frozen=True, slots=True)
class StuckMessage:
    """A message that needs a person: refused for good, or of unknown fate."""

    key: str
    person: str
    journey: str
    version: int
    step: str
    state: MessageState
    error: str
    created_at: datetime


class Outbox:
    """The messages of one ledger. Every method raises LedgerError when it refuses."""

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._versions = Versions(alias)

    def claim(
        self, at: datetime, *, worker: str, lease: timedelta, limit: int
    ) -> list[OutboxMessage]:
        """Return up to ``limit`` messages that only this worker may send until the lease ends.

        What waited past its journey's ``stale_after`` is cancelled instead.
        """
        with ledger_transaction(self._alias):
            self._expire(at)
            waiting = self._messages.filter(state=MessageState.QUEUED, not_before__lte=at)
            chosen = list(
                waiting.select_for_update(skip_locked=True)
                .order_by("not_before", "touch")
                .values_list("touch", flat=True)[: min(limit, MAX_CLAIM)]
            )
            taken = self._messages.filter(touch__in=chosen)
            taken.update(state=MessageState.LEASED, leased_by=worker, lease_until=at + lease)
            rows = taken.select_related("touch__enrolment__person").order_by("not_before", "touch")
            return [_outbox_message(row, lease) for row in rows]

    def begin_sending(self, message: OutboxMessage, at: datetime) -> bool:
        """Return whether the message may leave now; it is then marked as leaving.

        A message that may not leave any more is cancelled with its reason.
        """
        with ledger_transaction(self._alias):
            row = self._held(message, MessageState.LEASED)
            if row is None:
                return False
            mine = self._messages.filter(touch=message.touch)
            if reason := self._refusal(row, at):
                mine.update(**_cancelled(reason))
                return False
            mine.update(
                state=MessageState.SENDING,
                lease_until=at + message.lease,
                attempts=F("attempts") + 1,
            )
            return True

    def accept(self, message: OutboxMessage, at: datetime, provider_id: str) -> None:
        """Write down that the provider took the message, whatever was believed before."""
        with ledger_transaction(self._alias):
            self._messages.filter(touch=message.touch).exclude(state=MessageState.ACCEPTED).update(
                **_released(MessageState.ACCEPTED),
                accepted_at=at,
                provider_id=provider_id,
                reason=None,
            )

    def fail(
        self,
        message: OutboxMessage,
        at: datetime,
        *,
        error: str,
        permanent: bool,
        retry_at: datetime | None = None,
    ) -> None:
        """Write down a refusal: back to the queue until ``retry_at``, or for good.

        A permanent refusal is a bounce of the address and ends what a bounce ends.
        """
        with ledger_transaction(self._alias):
            if self._held(message, MessageState.SENDING) is None:
                return
            mine = self._messages.filter(touch=message.touch)
            if not permanent:
                mine.update(
                    **_released(MessageState.QUEUED), last_error=error, not_before=retry_at or at
                )
                return
            mine.update(**_released(MessageState.FAILED), last_error=error)
            bounce = Signal(message.person, SignalKind.BOUNCE, at, key=f"bounce:{message.key}")
            record_signals(self._alias, self._versions, [bounce], at)

    def mark_unknown(self, message: OutboxMessage, at: datetime, error: str) -> None:
        """Write down that nobody knows whether the message left; it is not sent again."""
        with ledger_transaction(self._alias):
            if self._held(message, MessageState.SENDING) is not None:
                self._messages.filter(touch=message.touch).update(
                    **_released(MessageState.UNKNOWN), last_error=error
                )

    def recover(self, at: datetime, *, is_idempotent: bool = False) -> Recovered:
        """Take back what lost workers held: the unsent is queued, the rest is unknown.

        ``is_idempotent`` says that the outlet recognises a message by its key, so
        that sending it again is harmless and it is queued as well.
        """
        with ledger_transaction(self._alias):
            lost = self._messages.filter(lease_until__lte=at)
            queued = lost.filter(state=MessageState.LEASED).update(**_released(MessageState.QUEUED))
            leaving = lost.filter(state=MessageState.SENDING)
            error = "the worker was lost while sending"
            if is_idempotent:
                queued += leaving.update(**_released(MessageState.QUEUED), last_error=error)
                return Recovered(queued=queued, unknown=0)
            unknown = leaving.update(**_released(MessageState.UNKNOWN), last_error=error)
            return Recovered(queued=queued, unknown=unknown)

    def stuck(self) -> Sequence[StuckMessage]:
        """Return the messages that need a person, oldest first."""
        rows = self._messages.filter(state__in=STUCK).select_related("touch__enrolment")
        with ledger_errors():
            return [_stuck_message(row) for row in rows.order_by("created_at", "touch")]

    def unsent_enrolments(self) -> Iterator[Enrolment]:
        """Yield the enrolments with a message that has not left and still may."""
        waiting = (MessageState.QUEUED, MessageState.LEASED)
        rows = models.Enrolment.objects.using(self._alias).filter(
            touches__message__state__in=waiting
        )
        for row in rows.distinct().order_by("id").iterator():
            yield enrolment_of(row)

    @property
    def _messages(self) -> QuerySet[models.Message]:
        return models.Message.objects.using(self._alias)

    def _expire(self, at: datetime) -> None:
        late = self._messages.filter(state=MessageState.QUEUED, expires_at__lt=at)
        late.update(**_cancelled(Reason.STALE))

    def _held(self, message: OutboxMessage, state: MessageState) -> models.Message | None:
        """Return the row, locked, if this worker still holds it in this state."""
        return (
            self._messages.select_for_update(of=("self",))
            .select_related("touch__enrolment__person")
            .filter(touch=message.touch, state=state, leased_by=message.worker)
            .first()
        )

    def _refusal(self, row: models.Message, at: datetime) -> Reason | None:
        """Return why the message may not leave any more, or None."""
        enrolment = row.touch.enrolment
        journey = self._versions.find(enrolment.journey, row.touch.version).journey
        if self._has_exited(enrolment, exits=journey.exits):
            return Reason.EXIT_REACHED
        if self._is_suppressed(enrolment.person, row.channel):
            return Reason.SUPPRESSED
        if journey.purpose is Purpose.MARKETING and self._has_withdrawn(row):
            return Reason.NO_PERMISSION
        if not enrolment.person.address:
            return Reason.UNREACHABLE
        return Reason.STALE if row.expires_at < at else None

    def _has_exited(self, enrolment: models.Enrolment, *, exits: frozenset[SignalKind]) -> bool:
        if enrolment.ended_reason not in {None, Reason.FINISHED.value}:
            return True
        orders = models.Signal.objects.using(self._alias).filter(
            person=enrolment.person_id, kind=SignalKind.ORDER.value
        )
        newest = orders.order_by("-at").values_list("at", flat=True).first()
        return newest is not None and is_return(
            newest, enrolment.entered_at, enrolment.last_order_at, exits=exits
        )

    def _is_suppressed(self, person: models.Person, channel: str) -> bool:
        by_person = Q(person=person.id)
        by_address = Q(address_hash=person.address_hash) & ~Q(address_hash="")
        rows = models.Suppression.objects.using(self._alias).filter(channel=channel)
        return rows.filter(by_person | by_address).exists()

    def _has_withdrawn(self, row: models.Message) -> bool:
        records = models.Consent.objects.using(self._alias).filter(
            person=row.touch.person_id, channel=row.channel
        )
        newest = records.order_by("-at", "granted").values_list("granted", flat=True).first()
        return newest is False


def touch_key(person: str, journey: str, version: int, step: str, rotation: int) -> str:
    """Return the touch's identity as 64 hex digits."""
    identity = "|".join((person, journey, str(version), step, str(rotation)))
    return hashlib.sha256(identity.encode()).hexdigest()


def _released(state: MessageState) -> dict[str, object]:
    return {"state": state, "leased_by": "", "lease_until": None}


def _cancelled(reason: Reason) -> dict[str, object]:
    return {**_released(MessageState.CANCELLED), "reason": reason.value}


def _key_of(touch: models.Touch) -> str:
    enrolment = touch.enrolment
    return touch_key(
        touch.person_id, enrolment.journey, touch.version, touch.step, enrolment.rotation
    )


def _outbox_message(row: models.Message, lease: timedelta) -> OutboxMessage:
    touch = row.touch
    return OutboxMessage(
        touch=touch.pk,
        key=_key_of(touch),
        person=touch.person_id,
        address=touch.enrolment.person.address or "",
        journey=touch.enrolment.journey,
        version=touch.version,
        step=touch.step,
        template=row.template,
        channel=Channel(row.channel),
        cost_micros=row.cost_micros,
        created_at=row.created_at,
        worker=row.leased_by,
        lease=lease,
        attempts=row.attempts,
    )


def _stuck_message(row: models.Message) -> StuckMessage:
    touch = row.touch
    return StuckMessage(
        key=_key_of(touch),
        person=touch.person_id,
        journey=touch.enrolment.journey,
        version=touch.version,
        step=touch.step,
        state=MessageState(row.state),
        error=row.last_error,
        created_at=row.created_at,
    )
