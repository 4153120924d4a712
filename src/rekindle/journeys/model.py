"""The nouns of a journey: what a team wrote, who is in it, and what was decided.

Frozen values without behaviour that depends on time or storage; the engine and both
books pass them around.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rekindle.consent import Permission
from rekindle.vocabulary import Answer, Arm, Channel, Purpose, Reason, SignalKind


@dataclass(frozen=True, slots=True)
class Send:
    """A step that writes to the person.

    ``key`` is the step's place in the file ("0", "2"), stable within a version and
    part of the touch's identity. ``when`` is an audience predicate the person has to
    match at that moment, or None.
    """

    key: str
    channel: Channel
    template: str
    when: str | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """A step that lets time pass."""

    key: str
    duration: timedelta


Step = Send | Wait


@dataclass(frozen=True, slots=True)
class Goal:
    """What counts as success in a report; it ends nothing (exits do)."""

    on: SignalKind
    within: timedelta


@dataclass(frozen=True, slots=True)
class Journey:
    """A journey file, parsed and checked.

    ``holdout`` is a share from 0 (the file says ``none``) to 0.9, or None for "auto";
    ``reenter`` None means never.
    ``exits`` holds what the file named; opt-out, complaint and bounce always end it.
    ``text`` is the file as read: the version's identity.
    """

    name: str
    audience: str
    goal: Goal
    steps: tuple[Step, ...]
    purpose: Purpose = Purpose.MARKETING
    hypothesis: str = ""
    reenter: timedelta | None = None
    exits: frozenset[SignalKind] = frozenset({SignalKind.ORDER})
    holdout: float | None = None
    stale_after: timedelta = timedelta(days=3)
    text: str = ""

    @property
    def sends(self) -> tuple[Send, ...]:
        """Return the steps that write, in order."""
        return tuple(step for step in self.steps if isinstance(step, Send))


@dataclass(frozen=True, slots=True)
class JourneyVersion:
    """One version of a journey as it runs; people finish the version they entered.

    ``salt`` draws the arms and is the same for every version of a journey, so an
    assignment never changes; ``holdout_share`` is fixed when the journey first starts.
    """

    journey: Journey
    version: int
    holdout_share: float
    salt: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """A person's contact card. ``address`` is the e-mail address, or None.

    ``properties`` are what templates may show beside the profile (``first_name``).
    """

    id: str
    address: str | None = None
    country: str | None = None
    timezone: str | None = None
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person who matches a journey's audience now.

    ``last_order_at`` is the newest purchase known at this moment: any newer one,
    also one imported late, counts as the return.
    """

    person: str
    last_order_at: datetime | None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One person's way through a journey. ``rotation`` counts entries from 0.

    ``position`` is an index into the version's steps and always names a Send;
    ``ready_at`` is when that step became due, ``due_at`` when to look at it next
    (later than ``ready_at`` after a hold).
    """

    person: str
    journey: str
    version: int
    rotation: int
    arm: Arm
    entered_at: datetime
    last_order_at: datetime | None
    position: int
    ready_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Past:
    """What a book remembers of a person's latest enrolment in a journey."""

    rotation: int
    entered_at: datetime
    is_open: bool
    arm: Arm


@dataclass(frozen=True, slots=True)
class Sent:
    """A counted send (or a ghost of one): what rolling caps look at."""

    channel: Channel
    at: datetime


@dataclass(frozen=True, slots=True)
class Dossier:
    """Everything one decision needs about one due enrolment, read in one go.

    ``exit`` is the reason that already ended it, or None. ``sent`` lists the person's
    marketing sends, across journeys, inside the longest cap window; for a held-out
    enrolment, and for no other, the person's ghosts count like sends.
    """

    enrolment: Enrolment
    permission: Permission
    is_reachable: bool
    is_suppressed: bool
    exit: Reason | None
    sent: tuple[Sent, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """The gate's answer. ``until`` is given with HOLD, ``reason`` with HOLD and SKIP."""

    answer: Answer
    reason: Reason | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """What the engine wants written, all of it or nothing, for one enrolment.

    ``next`` is the enrolment as it stands afterwards; ``ended`` is why it ended, or
    None while it goes on. A SEND decision also creates the touch and its message.
    """

    before: Enrolment
    step: Send
    decision: Decision
    at: datetime
    cost_micros: int
    next: Enrolment
    ended: Reason | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Signal:
    """Something that happened to a person. ``key`` makes recording it twice harmless.

    ``at`` is when it happened, which may be long before it is recorded.
    """

    person: str
    kind: SignalKind
    at: datetime
    key: str
