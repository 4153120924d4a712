"""The nouns of a journey: what a team wrote, who is in it, and what was decided.

Frozen values without behaviour that depends on time or storage; the engine and both
books pass them around.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from zoneinfo import ZoneInfo

from rekindle.gate import Decision, Dossier, Enrolment
from rekindle.identity import is_dialable
from rekindle.messages import AddressKind
from rekindle.offers import Stock, ToGive, Wanted
from rekindle.vocabulary import (
    Arm,
    Channel,
    Purpose,
    Reason,
    SignalKind,
    value_by_the_million,
)

NEVER_MIND = timedelta(0)
A_WEEK = timedelta(days=8)  # to the same weekday and time, a daylight change included
UTC_ZONES = (ZoneInfo("UTC"),)


class Measure(StrEnum):
    """What tells the variants of a message apart. Opens do not: machines make them."""

    RETURNED = "returned"
    REVENUE = "revenue"
    CLICKED = "clicked"


@dataclass(frozen=True, slots=True)
class Variant:
    """One of the wordings of a message: another ``subject``, another ``template``, or a name.

    ``weight`` says how often it is drawn, compared with the others of its step. ``subject``
    is Liquid, and ``template`` a name; each is empty where the step's own holds.
    """

    name: str
    weight: float = 1.0
    subject: str = ""
    template: str = ""


@dataclass(frozen=True, slots=True)
class Send:
    """A step that writes to the person.

    ``key`` is part of the touch's identity: the step's ``id`` in the file, else its
    template, with ``#2`` and so on where one is used again. ``when`` is a condition the
    person has to meet at that moment, or None. One of ``variants`` is drawn by hash and
    stays; templates see it as ``variant``, and a report compares them by ``measure``.
    ``offer`` is what the message is to bring.
    """

    key: str
    channel: Channel
    template: str
    when: str | None = None
    variants: tuple[Variant, ...] = ()
    offer: Wanted | None = None
    measure: Measure = Measure.RETURNED

    @property
    def wordings(self) -> tuple[Variant, ...]:
        """Return each way of writing the message with its template; one where there is no test."""
        own = self.variants or (Variant(""),)
        return tuple(replace(one, template=one.template or self.template) for one in own)

    def variant(self, name: str) -> Variant | None:
        """Return the variant of this name, or None where there is none any more."""
        return next((one for one in self.variants if one.name == name), None)

    def template_of(self, name: str) -> str:
        """Return the template that somebody with this variant, "" for none, is written."""
        found = self.variant(name) if self.variants else None
        return self.template if found is None else found.template or self.template


@dataclass(frozen=True, slots=True)
class Wait:
    """A step that lets time pass; one of ``shortened_by`` (events) ends it sooner."""

    key: str
    duration: timedelta
    shortened_by: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class WaitForEvent:
    """Waits until one of ``events`` happened since the latest message, or ``at_most``."""

    key: str
    events: frozenset[str]
    at_most: timedelta


@dataclass(frozen=True, slots=True)
class WaitForTime:
    """Waits until a local time of day, a weekday (Monday is 0), or both."""

    key: str
    time_of_day: time | None = None
    weekday: int | None = None


@dataclass(frozen=True, slots=True)
class WaitForDate:
    """Waits until ``days_before`` days before a date column of the profile.

    Whoever has no such date goes on at once; ``at_most`` bounds the wait, for a date
    may move.
    """

    key: str
    column: str
    at_most: timedelta
    days_before: int = 0


@dataclass(frozen=True, slots=True)
class Way:
    """One arm of a branch; ``when`` None takes everyone who got this far."""

    when: str | None
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """Sends each person down the first way whose condition they meet, or past them all."""

    key: str
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class End:
    """Ends the journey here for whoever arrives."""

    key: str


Step = Send | Wait | End | WaitForEvent | WaitForTime | WaitForDate | Branch


@dataclass(frozen=True, slots=True)
class Goal:
    """What counts as success in a report; it ends nothing (exits do). ``on`` is an event.

    ``read_on`` is the day at whose end the figures are read, declared before they are known.
    """

    on: str
    within: timedelta
    read_on: date | None = None


@dataclass(frozen=True, slots=True)
class Trigger:
    """An event that lets people in, once it happened ``times`` times ``within`` a while."""

    event: str
    times: int = 1
    within: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Journey:
    """A journey file, parsed and checked.

    ``audience`` is a predicate; with a ``trigger`` it narrows who the event lets in.
    ``backfill`` says what happens to those who match when the journey first starts: over
    which time they enter (zero is at once), or None where they stay out. ``pilot`` is
    the share of people who may enter at all. ``holdout`` is a share from 0 (the file
    says ``none``) to 0.9, or None for "auto"; ``reenter`` None means never.
    ``exits`` holds the events the file named; opt-out, complaint and bounce always end
    it. ``text`` is the file as read: the version's identity.
    """

    name: str
    audience: str
    goal: Goal
    steps: tuple[Step, ...]
    purpose: Purpose = Purpose.MARKETING
    hypothesis: str = ""
    reenter: timedelta | None = None
    exits: frozenset[str] = frozenset({SignalKind.ORDER.value})
    holdout: float | None = None
    stale_after: timedelta = timedelta(days=3)
    text: str = ""
    trigger: Trigger | None = None
    backfill: timedelta | None = NEVER_MIND
    pilot: float = 1.0
    topic: str = ""

    @property
    def all_steps(self) -> tuple[Step, ...]:
        """Return every step, those inside branches too, in the order of the file."""
        return tuple(_flat(self.steps))

    @property
    def sends(self) -> tuple[Send, ...]:
        """Return the steps that write, in the order of the file."""
        return tuple(step for step in self.all_steps if isinstance(step, Send))

    @property
    def longest(self) -> timedelta:
        """Return an upper bound of the way from entry to end: every wait, every hold."""
        waits = sum((_longest(step) for step in self.all_steps), NEVER_MIND)
        return waits + self.stale_after * len(self.sends)

    @property
    def conditions(self) -> tuple[str, ...]:
        """Return the conditions of sends and branches, in the order of the file."""
        found: list[str | None] = []
        for step in self.all_steps:
            if isinstance(step, Send):
                found.append(step.when)
            elif isinstance(step, Branch):
                found.extend(way.when for way in step.ways)
        return tuple(text for text in found if text is not None)


@dataclass(frozen=True, slots=True)
class JourneyVersion:
    """One version of a journey as it runs; people finish the version they entered.

    ``salt`` draws the arms, the pilot and the variants and is the same for every version
    of a journey, so a draw never changes; ``holdout_share`` is fixed when the journey
    first starts, at ``opened_at`` (this version at ``started_at``).
    """

    journey: Journey
    version: int
    holdout_share: float
    salt: str
    started_at: datetime
    opened_at: datetime | None = None

    @property
    def since(self) -> datetime:
        """Return when the journey's first version started."""
        return self.opened_at or self.started_at


@value_by_the_million(frozen=True, slots=True)
class Person:
    """A person's contact card. ``address`` is the e-mail address, or None.

    ``phone`` is in international form; ``properties`` are what templates may show beside
    the profile (``first_name``). ``secondary`` are e-mail addresses and phones that they have
    as well, each with its kind: a no binds them, and nothing is sent there.
    """

    id: str
    address: str | None = None
    country: str | None = None
    timezone: str | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    phone: str | None = None
    secondary: tuple[tuple[str, str], ...] = ()

    def address_of(self, kind: str) -> str | None:
        """Return the address of a kind that stands on this card, or None."""
        if kind == AddressKind.EMAIL:
            return self.address
        if kind == AddressKind.PERSON:
            return self.id
        return self.phone if kind == AddressKind.PHONE else None

    def is_reached_by(self, kind: str) -> bool:
        """Return whether a message to an address of a kind can be sent."""
        address = self.address_of(kind)
        return is_dialable(address) if kind == AddressKind.PHONE else bool(address)

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """Return the addresses that stand on this card, each with its kind."""
        told = ((kind.value, self.address_of(kind)) for kind in AddressKind)
        return tuple((kind, address) for kind, address in told if address)


Covariates = Mapping[str, str]
"""What somebody is in the profile as they enter a journey, by column: see ``is_covariate``."""
NOTHING_OBSERVED: Mapping[str, Covariates] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person who may enter a journey now.

    ``last_order_at`` is the newest purchase known at this moment: any newer one,
    also one imported late, counts as the return. ``triggered_at`` is when the event that
    lets them in happened. ``was_matching`` says that they matched already when the
    journey first started and have not bought since: back-fill.
    """

    person: str
    last_order_at: datetime | None
    triggered_at: datetime | None = None
    was_matching: bool = False


@dataclass(frozen=True, slots=True)
class Past:
    """What a book remembers of a person's latest enrolment in a journey."""

    rotation: int
    entered_at: datetime
    is_open: bool
    arm: Arm


@value_by_the_million(frozen=True, slots=True)
class Batch:
    """What ``Book.take_due`` hands out: due dossiers, at most one a person.

    ``reserved`` is what is spent or spoken for this month, in micros, by budget name;
    ``stock`` what is left of the offers, where somebody stands at a step that gives one;
    ``variants`` the one that somebody who enters again was given before, by person, journey
    and step; ``subgroups`` what people are in each journey, where messages may stop in a part
    of them alone.
    """

    dossiers: Sequence[Dossier]
    reserved: Mapping[str, int] = field(default_factory=dict)
    stock: Mapping[str, Stock] = field(default_factory=dict)
    variants: Mapping[tuple[str, str, str], str] = field(default_factory=dict)
    subgroups: Mapping[tuple[str, str], str] = field(default_factory=dict)


@value_by_the_million(frozen=True, slots=True)
class Move:
    """What the engine wants written, all of it or nothing, for one enrolment.

    ``next`` is the enrolment as it stands afterwards; ``ended`` is why it ended, or
    None while it goes on. A SEND decision also creates the touch and its message, which
    expires at ``expires_at``, is paid from the budgets named in ``budgets`` and brings
    ``offer``.
    """

    before: Enrolment
    step: Step
    decision: Decision
    at: datetime
    cost_micros: int
    next: Enrolment
    ended: Reason | None = None
    detail: str = ""
    variant: str = ""
    budgets: tuple[str, ...] = ()
    offer: ToGive | None = None


@value_by_the_million(frozen=True, slots=True)
class Signal:
    """Something that happened to a person. ``key`` makes recording it twice harmless.

    ``at`` is when it happened, which may be long before it is recorded. ``name`` says
    which event a signal of kind EVENT is. Of an opt-out, a complaint or a bounce,
    ``channel`` is where it came from (None is everywhere) and ``address`` the one it is
    about, empty where that is the one on the card. A purchase is
    the order ``subject`` of ``source``, and the newest word on that order counts;
    ``arrived_at`` says since when it is known to be one, where its date does not show that
    it is news.
    """

    person: str
    kind: SignalKind
    at: datetime
    key: str
    name: str = ""
    channel: Channel | None = None
    address: str = ""
    source: str = ""
    subject: str = ""
    arrived_at: datetime | None = None

    @property
    def event(self) -> str:
        """Return the event's name as journeys write it."""
        return self.name if self.kind is SignalKind.EVENT else self.kind.value

    def at_for(self, entered_at: datetime) -> datetime:
        """Return when it happened to somebody who had entered by then: not before it arrived."""
        arrived_at = self.arrived_at
        return self.at if arrived_at is None or arrived_at <= entered_at else arrived_at


def order_signal(
    person: str, at: datetime, source: str, order_id: str, *, arrived_at: datetime | None = None
) -> Signal:
    """Return a person's purchase, which goes by its order whoever tells of it."""
    # As JSON, because ids may hold whatever would stand between them.
    key = "order:" + json.dumps([source, order_id, person], ensure_ascii=False)
    return Signal(
        person,
        SignalKind.ORDER,
        at,
        key,
        source=source,
        subject=order_id,
        arrived_at=arrived_at,
    )


def _flat(steps: tuple[Step, ...]) -> Iterator[Step]:
    for step in steps:
        yield step
        if isinstance(step, Branch):
            for way in step.ways:
                yield from _flat(way.steps)


def _longest(step: Step) -> timedelta:
    """Return the longest that a step may let someone wait."""
    if isinstance(step, Wait):
        return step.duration
    if isinstance(step, WaitForEvent | WaitForDate):
        return step.at_most
    return A_WEEK if isinstance(step, WaitForTime) else NEVER_MIND
