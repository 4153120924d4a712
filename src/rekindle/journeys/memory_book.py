"""A book that lives in memory: for replay, for plans and for tests.

It keeps the same promises as the database and passes the same contract suite, so
that a replay of last year is the real engine with only the sending replaced.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from operator import itemgetter

from rekindle.consent import (
    ERASED,
    PENDING_EVENT,
    ConsentRecord,
    Exclusion,
    PendingConsent,
    PendingState,
    Preferences,
    Suppression,
    Whom,
    judge_pending,
    newest_record,
    suppression_by,
)
from rekindle.errors import LedgerError
from rekindle.gate import (
    INSTANT,
    BookRules,
    Dossier,
    DossierBuilder,
    Enrolment,
    OnFile,
    PastEvent,
    Sent,
    month_of,
    resolve_zones,
)
from rekindle.identity import normalise_address
from rekindle.journeys.exits import (
    exit_reason,
    is_correction,
    is_exit,
    is_stopped_by,
    is_woken,
)
from rekindle.journeys.interfaces import Decide
from rekindle.journeys.model import (
    NOTHING_OBSERVED,
    Batch,
    Covariates,
    JourneyVersion,
    Move,
    Past,
    Person,
    Send,
    Signal,
    Trigger,
)
from rekindle.journeys.queue import DueQueue
from rekindle.journeys.route import Route, build_route
from rekindle.journeys.standing import KnownPerson
from rekindle.journeys.withholding import Withheld, draw_withheld
from rekindle.messages import AddressKind
from rekindle.offers import PastOffer, Stock, ToGive
from rekindle.vocabulary import (
    GHOSTLY,
    STOPS,
    Answer,
    Arm,
    Channel,
    Purpose,
    Reason,
    SignalKind,
)

RUNNING, PAUSED, STOPPED = "running", "paused", "stopped"
NOBODY = Person("")
NO_TIME = timedelta(0)
PLENTY = 1_000_000_000
NEVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Course:
    """One enrolment from its entry to where it stands; ``ended`` None while open."""

    enrolment: Enrolment
    ended: Reason | None
    ended_at: datetime | None


class _Version:
    """A version with its route."""

    __slots__ = ("journey", "route", "version")

    def __init__(self, version: JourneyVersion) -> None:
        self.version = version
        self.journey = version.journey
        self.route: Route = build_route(version.journey)


class _Entry:
    """One enrolment as it stands."""

    __slots__ = (
        "ended",
        "ended_at",
        "enrolment",
        "exit",
        "standing",
        "touched",
        "touched_at",
        "version",
    )

    def __init__(self, enrolment: Enrolment, version: _Version, standing: KnownPerson) -> None:
        self.enrolment = enrolment
        self.version = version
        self.standing = standing
        self.ended: Reason | None = None
        self.ended_at: datetime | None = None
        self.touched: set[str] = set()
        self.touched_at: datetime | None = None
        self.exit = self.known_exit()

    def is_ended_by(self, event: str, at: datetime) -> bool:
        return is_exit(
            event,
            at,
            exits=self.version.journey.exits,
            entered_at=self.enrolment.entered_at,
            last_order_at=self.enrolment.last_order_at,
        )

    def known_exit(self) -> Reason | None:
        standing = self.standing
        ordered_at = standing.newest_order_at
        if ordered_at is not None and self.is_ended_by(SignalKind.ORDER, ordered_at):
            return Reason.ORDER
        for one in standing.events:
            if self.is_ended_by(one.event, one.at):
                return Reason.EVENT
        return None


class MemoryBook:
    """A ``Book`` in memory; a message counts as delivered when it is sent."""

    def __init__(self, terms: BookRules) -> None:
        self._terms = terms
        self._zone = resolve_zones(terms.zone, None, None, "UTC")[0]
        self._people: dict[str, KnownPerson] = {}
        self._suppressed: dict[tuple[str, str], set[Suppression]] = defaultdict(set)
        self._versions: dict[str, dict[int, _Version]] = {}
        self._states: dict[str, str] = {}
        self._entries: dict[tuple[str, str, int], _Entry] = {}
        self._latest: dict[tuple[str, str], _Entry] = {}
        self._queue: DueQueue[_Entry] = DueQueue()
        self._moves: list[Move] = []
        self._signals: dict[str, Signal] = {}
        self._pending: dict[str, PendingConsent] = {}
        self._stops: list[tuple[str, Suppression, datetime]] = []
        self._events: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
        self._reserved: dict[tuple[str, str], int] = defaultdict(int)
        self._messages: list[Move] = []
        self._set_aside: dict[str, int] = defaultdict(int)
        self._builder = DossierBuilder(terms, NEVER)

    # Who people are and what they asked for

    def save_people(self, people: Iterable[Person]) -> None:
        """Insert or update contact cards by id; a person who was erased stays erased."""
        for person in people:
            standing = self._standing(person.id)
            if not standing.is_erased:
                standing.card = person
                for one in (one for one in standing.suppressed if one.whom is Whom.PERSON):
                    self._bind((*person.secondary, *person.places), one)

    def told(self) -> Mapping[str, str] | None:
        """Return None: it is filled once, and asks nothing of what was before."""
        return None

    def note_told(self, digests: Mapping[str, str]) -> None:
        """Remember nothing."""

    def save_consent(self, records: Iterable[ConsentRecord]) -> None:
        """Append records; one equal in person, channel, granted and at is kept once."""
        for record in records:
            self._standing(record.person).state(record)

    def save_pending(self, told: Iterable[PendingConsent], at: datetime) -> None:
        """Append each yes that waits for its confirmation, and let ``consent_pending`` happen."""
        for one in told:
            if self._standing(one.person).is_erased or one.key in self._pending:
                continue
            self._pending[one.key] = one
            if at < one.at + self._terms.confirm_within:
                self.record([Signal(one.person, SignalKind.EVENT, at, one.key, PENDING_EVENT)], at)

    def unconfirmed(
        self, people: Collection[str], at: datetime
    ) -> Mapping[tuple[str, Channel], PendingConsent]:
        """Return the newest yes of each of these people and channel that may be confirmed now."""
        waiting = [one for one in self._pending.values() if one.person in people and one.at <= at]
        return {
            (one.person, one.channel): one
            for one in sorted(waiting, key=lambda one: one.at)
            if self._judge(one, at) is PendingState.OPEN
        }

    def _judge(self, one: PendingConsent, at: datetime) -> PendingState:
        records = self._standing(one.person).consent.get(one.channel, ())
        stops = [
            (stop.reason, since)
            for person, stop, since in self._stops
            if person == one.person and stop.binds(one.channel, Purpose.MARKETING)
        ]
        return judge_pending(one, records, stops, at=at, within=self._terms.confirm_within)

    def suppress(
        self,
        person: str,
        channel: Channel | None,
        *,
        reason: str,
        at: datetime,
        purpose: Purpose | None = None,
    ) -> None:
        """Never contact this person, nor their address, there and for that again."""
        one = Suppression(channel, purpose, reason)
        self._stops.append((person, one, at))
        self._suppress(person, one)

    def save_preferences(self, person: str, preferences: Preferences) -> None:
        """Keep what a person asked for, in place of what they asked before."""
        self._standing(person).preferences = preferences

    def exclude(
        self, person: str, exclusion: Exclusion, *, at: datetime, until: datetime | None
    ) -> None:
        """Write no marketing to this person until ``until``, or ever (None)."""
        self._standing(person).exclusions[exclusion] = until

    def include(self, person: str, exclusion: Exclusion) -> None:
        """Take back an exclusion."""
        self._standing(person).exclusions.pop(exclusion, None)

    def erase(self, person: str, at: datetime) -> int:
        """Forget a person's card; return how many enrolments that ended."""
        standing = self._standing(person)
        self._suppress(person, Suppression(None, None, ERASED))
        standing.is_erased, standing.card = True, None
        ended = list(standing.open)
        for entry in ended:
            self._close(entry, Reason.ERASED, at)
        return len(ended)

    # Journeys

    def start(self, version: JourneyVersion) -> None:
        """Make this version the one new people enter; earlier versions run out."""
        name = version.journey.name
        self._versions.setdefault(name, {})[version.version] = _Version(version)
        self._states[name] = RUNNING

    def running(self) -> Sequence[JourneyVersion]:
        """Return the newest version of every journey that takes new people."""
        return [
            versions[max(versions)].version
            for name, versions in self._versions.items()
            if self._states[name] == RUNNING
        ]

    def versions(self, journey: str) -> Sequence[JourneyVersion]:
        """Return every version of a journey, oldest first."""
        return [one.version for _, one in sorted(self._versions.get(journey, {}).items())]

    def pause(self, journey: str, at: datetime) -> None:
        """Hold a journey still."""
        if self._states.get(journey) == RUNNING:
            self._states[journey] = PAUSED

    def resume(self, journey: str, at: datetime, *, over_seconds: int) -> int:
        """Let a paused journey go on; return how many enrolments had fallen due."""
        if self._states.get(journey) != PAUSED:
            return 0
        self._states[journey] = RUNNING
        due = [entry for entry in self._queue.until(at) if entry.enrolment.journey == journey]
        for place, entry in enumerate(due):
            stale_after = entry.version.journey.stale_after
            turn = at + timedelta(seconds=over_seconds * place // len(due))
            latest = entry.enrolment.ready_at + stale_after + INSTANT
            self._put(entry, replace(entry.enrolment, due_at=max(at, min(turn, latest))))
        return len(due)

    def stop(self, journey: str, at: datetime) -> int:
        """End a journey for everyone in it with STOPPED; return how many ended."""
        if journey in self._states:
            self._states[journey] = STOPPED
        ended = [e for e in self._open() if e.enrolment.journey == journey]
        for entry in ended:
            self._close(entry, Reason.STOPPED, at)
        return len(ended)

    def transfer(
        self, journey: str, version: int, places: Mapping[int, Mapping[int, int]], at: datetime
    ) -> int:
        """Move open enrolments to ``version``; return how many moved."""
        there = self._version(journey, version)
        moved = 0
        for entry in self._open():
            one = entry.enrolment
            place = places.get(one.version, {}).get(one.position)
            if one.journey == journey and place is not None:
                self._put(entry, replace(one, version=version, position=place))
                entry.version = there
                entry.exit = entry.known_exit()
                moved += 1
        return moved

    # Who is where

    def past(self, journey: str, people: Collection[str]) -> Mapping[str, Past]:
        """Return each person's latest enrolment in the journey, for those who have one."""
        return {
            person: Past(
                entry.enrolment.rotation,
                entry.enrolment.entered_at,
                entry.ended is None,
                entry.enrolment.arm,
            )
            for person in people
            if (entry := self._latest.get((person, journey))) is not None
        }

    def triggered(
        self, trigger: Trigger, *, since: datetime, at: datetime
    ) -> Mapping[str, datetime]:
        """Return whom an event lets in: person to the time of the newest such event."""
        begin = max(since, at - trigger.within)
        found: dict[str, list[datetime]] = defaultdict(list)
        events = self._events[trigger.event]
        first, last = (bisect_right(events, edge, key=itemgetter(0)) for edge in (begin, at))
        for happened_at, person in events[first:last]:
            found[person].append(happened_at)
        return {
            person: max(times) for person, times in found.items() if len(times) >= trigger.times
        }

    def enrol(
        self,
        enrolments: Sequence[Enrolment],
        covariates: Mapping[str, Covariates] = NOTHING_OBSERVED,
    ) -> int:
        """Insert the enrolments that do not exist yet; return how many were new.

        No report tells the people of a replay apart, and ``covariates`` are not kept.
        """
        return sum(map(self._enrol, enrolments))

    def next_due(self) -> datetime | None:
        """Return when the next enrolment falls due, None if none is open."""
        return self._queue.first()

    def take_due(self, at: datetime, limit: int, decide: Decide) -> int | None:
        """Let ``decide`` look at up to ``limit`` due people and write what it returns."""
        firsts: dict[str, _Entry] = {}
        for entry in self._moving(at):
            firsts.setdefault(entry.enrolment.person, entry)
            if len(firsts) == limit:
                break
        if not firsts:
            return None
        month = month_of(at, self._zone)
        reserved = {one.name: self._reserved[one.name, month] for one in self._terms.budgets}
        dossiers = [self._dossier(entry, at) for entry in firsts.values()]
        variants = {
            (person, *step): name
            for person, entry in firsts.items()
            for step, name in entry.standing.variants.items()
        }
        return sum(map(self._apply, decide(Batch(dossiers, reserved, self._stock(), variants))))

    def record(self, signals: Sequence[Signal], at: datetime) -> int:
        """Record what happened and end what it must end; return how many ended."""
        return sum(self._record(signal, at) for signal in signals if signal.at <= at)

    def open_enrolments(self) -> Iterable[Enrolment]:
        """Return every enrolment that has not ended."""
        return [entry.enrolment for entry in self._open()]

    def courses(self) -> Iterator[Course]:
        """Yield every enrolment with its end, in the order of entry."""
        for entry in self._entries.values():
            yield Course(entry.enrolment, entry.ended, entry.ended_at)

    def withheld(self) -> Withheld:
        """Return whom the holdout of all marketing journeys holds out, with since when."""
        return Withheld(
            {
                person: standing.withheld[1]
                for person, standing in self._people.items()
                if standing.withheld is not None and standing.withheld[0] is Arm.HOLDOUT
            }
        )

    @property
    def moves(self) -> Sequence[Move]:
        """Return every move that applied, in the order they were made."""
        return self._moves

    @property
    def messages(self) -> Sequence[Move]:
        """Return the moves that made a message, in the order they were made."""
        return self._messages

    def _standing(self, person: str) -> KnownPerson:
        standing = self._people.get(person)
        if standing is None:
            standing = self._people[person] = KnownPerson()
        return standing

    def _open(self) -> list[_Entry]:
        return [entry for entry in self._entries.values() if entry.ended is None]

    def _moving(self, at: datetime) -> Iterator[_Entry]:
        """Yield what is due in journeys that are not held still."""
        if PAUSED not in self._states.values():
            return self._queue.until(at)
        states = self._states
        return (e for e in self._queue.until(at) if states[e.enrolment.journey] != PAUSED)

    def _version(self, journey: str, version: int) -> _Version:
        try:
            return self._versions[journey][version]
        except KeyError as error:
            raise LedgerError(
                f"version {version} of journey {journey} was never started"
            ) from error

    def _enrol(self, enrolment: Enrolment) -> bool:
        key = (enrolment.person, enrolment.journey, enrolment.rotation)
        standing = self._standing(enrolment.person)
        if key in self._entries or standing.is_erased:
            return False
        version = self._version(enrolment.journey, enrolment.version)
        entry = _Entry(enrolment, version, standing)
        self._entries[key] = self._latest[key[:2]] = entry
        entry.standing.open[entry] = None
        if standing.withheld is None:
            arm = draw_withheld(self._terms.holdout, enrolment.person, version.journey.purpose)
            standing.withheld = None if arm is None else (arm, enrolment.entered_at)
        self._queue.add(entry, enrolment.due_at)
        return True

    def _dossier(self, entry: _Entry, at: datetime) -> Dossier:
        enrolment, standing, journey = entry.enrolment, entry.standing, entry.version.journey
        step = entry.version.route.nodes[enrolment.position].step
        channel = (step if isinstance(step, Send) else journey.sends[0]).channel
        kind = self._terms.address_kind(channel)
        card = standing.card or NOBODY
        address = card.address_of(kind)
        said = newest_record(standing.consent.get(channel, ()), at)
        known = OnFile(
            channel,
            journey.purpose,
            said.granted if said else None,
            (card.timezone, card.country, card.phone),
            card.is_reached_by(kind),
            self._is_suppressed(standing, channel, journey.purpose, (kind, address)),
            standing.is_erased,
            standing.preferences,
            self._exclusion(standing, at),
            standing.events,
            self._is_withheld(standing),
        )
        if self._builder.at != at:
            self._builder = DossierBuilder(self._terms, at)
        return self._builder.build(
            enrolment,
            known,
            exit=entry.exit,
            sent=self._counted(entry, at),
            touched_at=entry.touched_at,
            offers=self._offers_of(entry, at)
            if isinstance(step, Send) and step.offer is not None
            else (),
        )

    def _is_withheld(self, standing: KnownPerson) -> bool:
        drawn = standing.withheld
        return self._terms.holdout.share > 0 and drawn is not None and drawn[0] is Arm.HOLDOUT

    def _gets_ghosts(self, entry: _Entry) -> bool:
        """Return whether what would have been sent stands for what was, to somebody."""
        return entry.enrolment.arm is Arm.HOLDOUT or self._is_withheld(entry.standing)

    def _offers_of(self, entry: _Entry, at: datetime) -> tuple[PastOffer, ...]:
        """Return what the person was given; ghosts bind the held out alone."""
        standing, since = entry.standing, at - self._terms.offers_matter_for
        found = [one for one in standing.offers if one.ends_at > since]
        if self._gets_ghosts(entry):
            found += [one for one in standing.ghost_offers if one.ends_at > since]
        return tuple(sorted(found, key=lambda one: one.at))

    def _stock(self) -> dict[str, Stock]:
        """Return what is left: of codes as many as anybody wants, for nobody sees them."""
        return {
            name: Stock(PLENTY, self._set_aside[name]) for name in sorted(self._terms.offers.terms)
        }

    def _exclusion(self, standing: KnownPerson, at: datetime) -> Exclusion | None:
        holding = (one for one, until in standing.exclusions.items() if not until or until > at)
        return next(holding, None)

    def _places(self, signal: Signal) -> tuple[str, ...]:
        """Return where the person of a signal lives, as the law asks it."""
        card = self._standing(signal.person).card or NOBODY
        return self._terms.places_of(signal.channel, card.country, card.phone)

    def _suppress(self, person: str, one: Suppression, named: str = "") -> None:
        """Suppress a person and their addresses, or the one address that is named."""
        standing = self._standing(person)
        kinds: Iterable[str] = AddressKind
        if one.channel is not None:
            kinds = [self._terms.address_kind(one.channel)]
        elif one.whom is Whom.ADDRESS:
            kinds = [AddressKind.EMAIL]
        card = standing.card or NOBODY
        found = [(kind, named or card.address_of(kind)) for kind in kinds]
        if one.whom is Whom.PERSON:
            self._bind(card.secondary, one)
        for kind, address in found:
            if address:
                self._suppressed[kind, normalise_address(address)].add(one)
        if one.whom is Whom.PERSON or not any(address for _, address in found):
            standing.suppressed.add(one)

    def _bind(self, addresses: Iterable[tuple[str, str]], one: Suppression) -> None:
        """Suppress addresses of the kind that a suppression's channel writes to."""
        for kind, address in addresses:
            if one.channel is None or self._terms.address_kind(one.channel) == kind:
                self._suppressed[kind, normalise_address(address)].add(one)

    def _is_suppressed(
        self,
        standing: KnownPerson,
        channel: Channel,
        purpose: Purpose,
        address: tuple[str, str | None],
    ) -> bool:
        if any(one.binds(channel, purpose) for one in standing.suppressed):
            return True
        kind, value = address
        if not self._suppressed or not value:
            return False
        found = self._suppressed.get((kind, normalise_address(value)), ())
        return any(one.binds(channel, purpose) for one in found)

    def _counted(self, entry: _Entry, at: datetime) -> tuple[Sent, ...]:
        """Return the marketing sends in the window; ghosts bind the held out alone."""
        sent = entry.standing.sent
        if entry.standing.ghosts and self._gets_ghosts(entry):
            sent = sorted(sent + entry.standing.ghosts, key=_left_at)
        if not sent:
            return ()
        own = entry.standing.preferences.at_most_every
        since = at - max(self._terms.longest_window, own or NO_TIME)
        if sent[-1].at <= since:
            return ()
        return tuple(one for one in sent if one.at > since)

    def _apply(self, move: Move) -> bool:
        before = move.before
        entry = self._entries.get((before.person, before.journey, before.rotation))
        if entry is None or entry.ended is not None:
            return False
        found = entry.enrolment
        if found.position != before.position or found.due_at != before.due_at:
            return False
        self._moves.append(move)
        self._touch(entry, move)
        if move.ended is not None:
            self._close(entry, move.ended, move.at)
        else:
            self._put(entry, move.next)
        return True

    def _touch(self, entry: _Entry, move: Move) -> None:
        """Make the touch of a move, if it is one and not made yet."""
        is_ghost = move.decision.reason in GHOSTLY
        if move.decision.answer is not Answer.SEND and not is_ghost:
            return
        if move.step.key in entry.touched:
            return
        entry.touched.add(move.step.key)
        entry.touched_at = move.at
        if move.variant:
            entry.standing.variants[move.before.journey, move.step.key] = move.variant
        if move.offer is not None:
            self._give(entry, move, move.offer, is_ghost=is_ghost)
        if not is_ghost:
            self._messages.append(move)
            month = month_of(move.at, self._zone) if move.budgets else ""
            for name in move.budgets:
                self._reserved[name, month] += move.cost_micros
        if entry.version.journey.purpose is Purpose.MARKETING:
            assert isinstance(move.step, Send)
            kept = entry.standing.ghosts if is_ghost else entry.standing.sent
            insort(kept, Sent(move.step.channel, move.at), key=_left_at)

    def _give(self, entry: _Entry, move: Move, given: ToGive, *, is_ghost: bool) -> None:
        standing, before = entry.standing, move.before
        kept = standing.ghost_offers if is_ghost else standing.offers
        course = (before.journey, before.rotation)
        kept.append(PastOffer(given.offer, course, move.at, given.ends_at, given.cost_micros))
        if not is_ghost:
            self._set_aside[given.offer] += given.most_micros

    def _put(self, entry: _Entry, enrolment: Enrolment) -> None:
        self._queue.remove(entry, entry.enrolment.due_at)
        self._queue.add(entry, enrolment.due_at)
        entry.enrolment = enrolment

    def _close(self, entry: _Entry, reason: Reason, at: datetime) -> None:
        entry.ended, entry.ended_at = reason, at
        del entry.standing.open[entry]
        self._queue.remove(entry, entry.enrolment.due_at)

    def _record(self, signal: Signal, at: datetime) -> int:
        standing, event = self._standing(signal.person), signal.event
        if (known := self._signals.get(signal.key)) is not None:
            if not is_correction(known, signal):
                return 0
            self._forget(standing, known)
        self._signals[signal.key] = signal
        self._remember(standing, signal)
        if known is not None:
            for other in standing.open:
                other.exit = other.known_exit()
        if signal.kind in STOPS:
            is_about_card = self._is_about_card(signal)
            suppression = suppression_by(
                signal.kind, signal.channel, places=self._places(signal), on=signal.at.date()
            )
            self._stops.append((signal.person, suppression, signal.at))
            self._suppress(signal.person, suppression, signal.address)
            ended = [
                entry
                for entry in standing.open
                if is_about_card and is_stopped_by(signal, entry.version.journey)
            ]
        else:
            ended = [
                entry
                for entry in standing.open
                if entry.is_ended_by(event, signal.at_for(entry.enrolment.entered_at))
            ]
        for entry in ended:
            self._close(entry, exit_reason(event), at)
        for entry in standing.open:
            if is_woken(entry.enrolment.wakes_on, event) and entry.enrolment.due_at > at:
                self._put(entry, replace(entry.enrolment, due_at=at))
        return len(ended)

    def _is_about_card(self, signal: Signal) -> bool:
        """Return whether the address a bounce names, if it names one, is on the card."""
        if signal.kind is not SignalKind.BOUNCE or not signal.address:
            return True
        card = self._standing(signal.person).card or NOBODY
        held = {normalise_address(card.address_of(kind)) for kind in AddressKind}
        return normalise_address(signal.address) in held

    def _forget(self, standing: KnownPerson, signal: Signal) -> None:
        """Take back what an order was known as before it was corrected."""
        standing.events.remove(PastEvent(signal.event, signal.at))
        self._events[signal.event].remove((signal.at, signal.person))
        ordered = (one.at for one in standing.events if one.event == SignalKind.ORDER)
        standing.newest_order_at = max(ordered, default=None)

    def _remember(self, standing: KnownPerson, signal: Signal) -> None:
        event = signal.event
        if signal.kind is SignalKind.ORDER:
            newest = standing.newest_order_at
            if newest is None or newest < signal.at:
                standing.newest_order_at = signal.at
        # Also what no journey asks about yet: a later version may.
        insort(standing.events, PastEvent(event, signal.at), key=lambda one: one.at)
        insort(self._events[event], (signal.at, signal.person))


def _left_at(sent: Sent) -> datetime:
    return sent.at
