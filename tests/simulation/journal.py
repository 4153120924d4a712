"""What really happened in a world, kept by the world itself.

People ask, buy and object; messages are handed over. The promises are checked against
this record alone, which shares no code with the rules it judges.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rekindle.consent import Preferences
from rekindle.gate import Enrolment
from rekindle.journeys import Branch, End, JourneyVersion, Person, Signal, Step, Wait
from rekindle.offers import ToGive
from rekindle.vocabulary import Arm, Purpose, Reason, SignalKind

Key = tuple[str, str, int]
OBJECTIONS = {SignalKind.OPT_OUT, SignalKind.COMPLAINT, SignalKind.BOUNCE}
NO_PREFERENCES = Preferences()
MARKETING, ANYTHING = "marketing", "anything"


class BrokenPromiseError(AssertionError):
    """A promise did not hold; the message begins with its name."""


def broken(promise: str, what: object) -> BrokenPromiseError:
    """Return the error that ends a world."""
    return BrokenPromiseError(f"{promise}: {what}")


class Sheet:
    """A version of a journey, read as the sheet of paper its author would draw.

    ``follows`` leads from each step to the one after it, out of its branch if need be.
    """

    def __init__(self, version: JourneyVersion) -> None:
        self.version = version
        self.journey = version.journey
        self.steps: dict[str, Step] = {}
        self.follows: dict[str, str | None] = {}
        self._lay(version.journey.steps, None)
        self.keys = tuple(self.steps)
        self.is_marketing = version.journey.purpose is Purpose.MARKETING
        self.entry = self.rest(self.keys[0])

    def rest(self, key: str | None) -> tuple[str | None, timedelta]:
        """Return where someone who arrives at ``key`` comes to rest, and how much later."""
        later = timedelta(0)
        while key is not None:
            step = self.steps[key]
            if isinstance(step, End):
                return None, later
            if not isinstance(step, Wait) or step.shortened_by:
                return key, later
            later += step.duration
            key = self.follows[key]
        return None, later

    def inside(self, branch: Branch, way: int | None) -> str | None:
        """Return the first step of a way, or the step behind the branch."""
        return self.follows[branch.key] if way is None else branch.ways[way].steps[0].key

    def _lay(self, steps: tuple[Step, ...], after: str | None) -> None:
        for step, following in zip(steps, (*steps[1:], None), strict=True):
            self.steps[step.key] = step
            self.follows[step.key] = after if following is None else following.key
            for way in step.ways if isinstance(step, Branch) else ():
                self._lay(way.steps, self.follows[step.key])


@dataclass(slots=True, eq=False)
class Trail:
    """One enrolment as the world saw it go; ``ended`` holds what may have ended it."""

    person: str
    journey: str
    rotation: int
    arm: Arm
    entered_at: datetime
    last_order_at: datetime | None
    sheet: Sheet
    step: str
    ready_at: datetime
    handed: dict[str, datetime] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    touched_at: datetime | None = None
    ended: frozenset[Reason] = frozenset()
    doomed: frozenset[Reason] = frozenset()
    limits: dict[str, timedelta] = field(default_factory=dict)

    def decide(self, step: str) -> None:
        """Note by which version's limit a message is fresh: the one that it was decided by.

        Whoever is moved to another version afterwards takes along what is on its way.
        """
        self.limits.setdefault(step, self.sheet.journey.stale_after)

    def stale_after(self, step: str) -> timedelta:
        """Return how long after it was due a step is fresh."""
        return self.limits.get(step, self.sheet.journey.stale_after)

    @property
    def key(self) -> Key:
        """Return person, journey and rotation."""
        return self.person, self.journey, self.rotation

    def is_ended_by(self, event: str, at: datetime) -> bool:
        """Return whether something that happened at ``at`` ends the journey here."""
        if event not in self.sheet.journey.exits:
            return False
        known = self.last_order_at if event == "order" else None
        return at > (known or self.entered_at)


@dataclass(frozen=True, slots=True)
class HandOver:
    """A message in the provider's hands; ``decided_at`` is when it was decided.

    ``offer`` is what it brings, with ``code`` where it has one of its own.
    """

    trail: Trail
    step: str
    at: datetime
    decided_at: datetime
    ready_at: datetime
    offer: ToGive | None = None
    code: str = ""


@dataclass(slots=True)
class Standing:
    """What a person is and asked for."""

    card: Person
    zones: tuple[ZoneInfo, ...]
    flags: set[str] = field(default_factory=set)
    consents: list[tuple[datetime, bool]] = field(default_factory=list)
    orders: list[datetime] = field(default_factory=list)
    deeds: list[tuple[str, datetime]] = field(default_factory=list)
    preferences: Preferences = NO_PREFERENCES
    exclusions: dict[str, datetime | None] = field(default_factory=dict)
    suppressed: set[str] = field(default_factory=set)
    is_erased: bool = False
    trails: list[Trail] = field(default_factory=list)
    marketing_at: list[datetime] = field(default_factory=list)
    ghosts_at: list[datetime] = field(default_factory=list)
    offers: list[HandOver] = field(default_factory=list)
    ghost_offers: list[HandOver] = field(default_factory=list)


class Journal:
    """Everything that was asked, done and handed over."""

    def __init__(self) -> None:
        self.people: dict[str, Standing] = {}
        self.suppressed: dict[str, set[str]] = defaultdict(set)
        self.sheets: dict[str, dict[int, Sheet]] = defaultdict(dict)
        self.states: dict[str, str] = {}
        self.arms: dict[tuple[str, str], Arm] = {}
        self.trails: dict[Key, Trail] = {}
        self.open: dict[Key, Trail] = {}
        self.hand_overs: list[HandOver] = []
        self._signals: dict[str, Signal] = {}

    # What people are, do and ask for

    def know(self, card: Person, zones: tuple[ZoneInfo, ...]) -> None:
        """Someone's contact card is written, or written anew."""
        standing = self.people.get(card.id)
        if standing is None:
            self.people[card.id] = Standing(card, zones)
        elif not standing.is_erased:
            standing.card, standing.zones = card, zones

    def happened(self, signals: Iterable[Signal], now: datetime) -> None:
        """Signals are recorded, those of the future and those known already left out."""
        ends: dict[Key, set[Reason]] = defaultdict(set)
        for signal in signals:
            if signal.at > now or not self._is_news(signal):
                continue
            self._signals[signal.key] = signal
            for trail, reason in self._felt(signal):
                ends[trail.key].add(reason)
        for key, reasons in ends.items():
            self.end(self.trails[key], *reasons)

    def _is_news(self, signal: Signal) -> bool:
        """Return whether this was not known, or not so; what an order was before is forgotten."""
        known = self._signals.get(signal.key)
        if known is None:
            return True
        arrived = signal.arrived_at
        is_news = arrived is not None and (known.arrived_at is None or known.arrived_at < arrived)
        if not signal.subject or (known.at == signal.at and not is_news):
            return False
        standing = self.people[signal.person]
        standing.orders.remove(known.at)
        return True

    def _felt(self, signal: Signal) -> Iterator[tuple[Trail, Reason]]:
        standing, event = self.people[signal.person], signal.event
        if signal.kind is SignalKind.ORDER:
            standing.orders.append(signal.at)
        else:
            standing.deeds.append((event, signal.at))
        is_objection = signal.kind in OBJECTIONS
        ends_receipts = signal.kind is SignalKind.BOUNCE
        if is_objection:
            self._objected(signal)
        own = is_objection or signal.kind is SignalKind.ORDER
        reason = Reason(signal.kind.value) if own else Reason.EVENT
        for trail in standing.trails:
            is_over = is_objection and (ends_receipts or trail.sheet.is_marketing)
            at = signal.at_for(trail.entered_at)
            if not trail.ended and (is_over or trail.is_ended_by(event, at)):
                yield trail, reason
        if signal.kind is SignalKind.ORDER:
            for trail in standing.trails:
                if not trail.ended:
                    trail.doomed = frozenset(self._known_exits(trail))

    def _objected(self, signal: Signal) -> None:
        if signal.kind is not SignalKind.BOUNCE:
            self.suppress(signal.person, MARKETING)
        elif (address := self.people[signal.person].card.address) is not None:
            self.suppressed[address.lower()].add(ANYTHING)  # of another address it says nothing
        else:
            self.suppress(signal.person)

    def suppress(self, person: str, what: str = ANYTHING) -> None:
        """Nobody writes to this person again, nor to the address they have now."""
        standing = self.people[person]
        standing.suppressed.add(what)
        if standing.card.address is not None:
            self.suppressed[standing.card.address.lower()].add(what)

    def erase(self, person: str) -> None:
        """A person is forgotten."""
        standing = self.people[person]
        self.suppress(person)
        standing.is_erased, standing.card = True, Person(person)
        for trail in standing.trails:
            if not trail.ended:
                self.end(trail, Reason.ERASED)

    # What the team does

    def start(self, version: JourneyVersion) -> None:
        """A version is started; the journey runs."""
        self.sheets[version.journey.name][version.version] = Sheet(version)
        self.states[version.journey.name] = "running"

    def newest(self, journey: str) -> Sheet:
        """Return the version that people enter now."""
        sheets = self.sheets[journey]
        return sheets[max(sheets)]

    def stop(self, journey: str) -> None:
        """A journey is ended for everyone."""
        self.states[journey] = "stopped"
        for trail in self.of_journey(journey):
            self.end(trail, Reason.STOPPED)

    def transfer(self, journey: str) -> int:
        """Move everyone whose step the newest version still has; return how many."""
        newest, moved = self.newest(journey), 0
        for trail in self.of_journey(journey):
            there = newest.steps.get(trail.step)
            if trail.sheet is newest or type(there) is not type(trail.sheet.steps[trail.step]):
                continue
            trail.sheet = newest
            trail.doomed = frozenset(self._known_exits(trail))
            moved += 1
        return moved

    def of_journey(self, journey: str) -> list[Trail]:
        """Return who is in a journey now."""
        return [trail for trail in self.open.values() if trail.journey == journey]

    # What the engine did

    def enter(self, enrolment: Enrolment) -> Trail:
        """Someone was found to be in a journey."""
        sheet = self.sheets[enrolment.journey][enrolment.version]
        standing = self.people[enrolment.person]
        trail = Trail(
            enrolment.person,
            enrolment.journey,
            enrolment.rotation,
            enrolment.arm,
            enrolment.entered_at,
            enrolment.last_order_at,
            sheet,
            sheet.keys[enrolment.position],
            enrolment.ready_at,
        )
        trail.doomed = frozenset(self._known_exits(trail))
        self.trails[trail.key] = self.open[trail.key] = trail
        standing.trails.append(trail)
        return trail

    def _known_exits(self, trail: Trail) -> Iterator[Reason]:
        standing = self.people[trail.person]
        if any(trail.is_ended_by("order", at) for at in standing.orders):
            yield Reason.ORDER
        if any(trail.is_ended_by(event, at) for event, at in standing.deeds):
            yield Reason.EVENT

    def end(self, trail: Trail, *reasons: Reason) -> None:
        """Someone's journey is over."""
        trail.ended = frozenset(reasons)
        del self.open[trail.key]

    def touch(self, trail: Trail, step: str, at: datetime) -> None:
        """A step reached someone, or would have but for the holdout."""
        if step not in trail.touched:
            trail.touched.add(step)
            trail.touched_at = at
            if trail.arm is Arm.HOLDOUT and trail.sheet.is_marketing:
                self.people[trail.person].ghosts_at.append(at)

    def ghost(self, message: HandOver) -> None:
        """A held-out person would have been given an offer."""
        if message.offer is not None:
            self.people[message.trail.person].ghost_offers.append(message)

    def hand_over(self, message: HandOver) -> None:
        """A provider was handed a message."""
        self.hand_overs.append(message)
        if message.offer is not None:
            self.people[message.trail.person].offers.append(message)
        message.trail.handed[message.step] = message.at
        if message.trail.sheet.is_marketing:
            self.people[message.trail.person].marketing_at.append(message.at)

    # What may be asked

    def deeds_since(self, trail: Trail, since: datetime | None = None) -> frozenset[str]:
        """Return what the person did since entering, or since another time, by event."""
        deeds = self.people[trail.person].deeds
        begin = max(trail.entered_at, since or trail.entered_at)
        return frozenset(event for event, at in deeds if at > begin)
