"""The entries of the record: one answer, enrolment, message or signal as it stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rekindle.consent import Exclusion
from rekindle.ledger.models import JourneyState, MessageState
from rekindle.messages import DeliveryKind
from rekindle.vocabulary import Answer, Arm, Channel, Purpose, Reason, SignalKind


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
    """One enrolment as it stands; ``due_at`` is None once it ended.

    ``first_touch_at`` counts a ghost's touch as well.
    """

    person: str
    journey: str
    version: int
    rotation: int
    arm: Arm
    entered_at: datetime
    last_order_at: datetime | None
    due_at: datetime | None
    ended_at: datetime | None
    ended_reason: Reason | None
    first_touch_at: datetime | None


@dataclass(frozen=True, slots=True)
class HeardEntry:
    """What was heard of a message after it left, and whether it was a machine's doing."""

    kind: DeliveryKind
    at: datetime
    is_machine: bool


@dataclass(frozen=True, slots=True)
class MessageEntry:
    """One message: ``accepted_at`` is when the provider took it, None if it has not.

    ``reason`` says why it was cancelled; ``error`` is the provider's last complaint. What was
    ``heard`` of it since, the oldest first, and until when it is ``kept_until`` its person asks
    for it, are told where one person is asked about.
    """

    person: str
    journey: str
    version: int
    rotation: int
    step: str
    channel: Channel
    template: str
    variant: str
    state: MessageState
    reason: Reason | None
    error: str
    created_at: datetime
    accepted_at: datetime | None
    cost_micros: int
    heard: tuple[HeardEntry, ...] = ()
    kept_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class JourneyEntry:
    """A journey across its versions: whether it runs, and since when it does or does not."""

    name: str
    state: JourneyState
    opened_at: datetime
    changed_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class SuppressionEntry:
    """Where, for what and why a person is never contacted again.

    ``channel`` or ``purpose`` None is every one.
    """

    channel: Channel | None
    purpose: Purpose | None
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ExclusionEntry:
    """Why the business does not write to a person; ``until`` None is for ever."""

    kind: Exclusion
    at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class SignalEntry:
    """Something that happened to a person, and when it was recorded."""

    kind: SignalKind
    event: str
    at: datetime
    recorded_at: datetime
