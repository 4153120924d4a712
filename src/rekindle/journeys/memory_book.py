"""A book that lives in memory: for replay, for plans and for tests.

It keeps the same promises as the database and passes the same contract suite, so
that a replay of last year is the real engine with only the sending replaced.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from rekindle.consent import ConsentRecord, decide_permission
from rekindle.errors import LedgerError
from rekindle.journeys.model import (
    Dossier,
    Enrolment,
    JourneyVersion,
    Move,
    Past,
    Person,
    Send,
    Sent,
    Signal,
)
from rekindle.journeys.queue import DueQueue
from rekindle.vocabulary import Answer, Arm, Channel, Purpose, Reason, SignalKind


@dataclass(frozen=True, slots=True)
class Course:
    """One enrolment from its entry to where it stands; ``ended`` None while open."""

    enrolment: Enrolment
    ended: Reason | None
    ended_at: datetime | None


class _Standing:
    """What is known of one person."""

    __slots__ = ("card", "consent", "ghosts", "newest_order_at", "open", "sent", "suppressed")

    def __init__(self) -> None:
        self.card: Person | None = None
        self.consent: dict[Channel, list[ConsentRecord]] = {}
        self.suppressed: dict[Channel, tuple[str, datetime]] = {}
        self.newest_order_at: datetime | None = None
        self.open: dict[_Entry, None] = {}
        self.sent: list[Sent] = []
        self.ghosts: list[Sent] = []


class _Entry:
    """One enrolment as it stands."""

    __slots__ = ("ended", "ended_at", "enrolment", "exit", "standing", "version")

    def __init__(self, enrolment: Enrolment, version: JourneyVersion, standing: _Standing) -> None:
        self.enrolment = enrolment
        self.version = version
        self.standing = standing
        self.ended: Reason | None = None
        self.ended_at: datetime | None = None
        self.exit = Reason.ORDER if self.is_ended_by(standing.newest_order_at) else None

    def is_ended_by(self, ordered_at: datetime | None) -> bool:
        if ordered_at is None or SignalKind.ORDER not in self.version.journey.exits:
            return False
        return ordered_at > (self.enrolment.last_order_at or self.enrolment.entered_at)


class MemoryBook:
    """A ``Book`` in memory; a message counts as delivered when it is sent.

    ``longest_window`` is how far back sends are listed for the caps.
    """

    def __init__(self, *, soft_opt_in: bool, longest_window: timedelta) -> None:
        self._soft_opt_in = soft_opt_in
        self._window = longest_window
        self._people: dict[str, _Standing] = {}
        self._suppressed: set[tuple[Channel, str]] = set()
        self._versions: dict[str, dict[int, JourneyVersion]] = {}
        self._entries: dict[tuple[str, str, int], _Entry] = {}
        self._latest: dict[tuple[str, str], _Entry] = {}
        self._queue: DueQueue[_Entry] = DueQueue()
        self._moves: list[Move] = []
        self._signals: set[str] = set()

    def save_people(self, people: Iterable[Person]) -> None:
        """Insert or update contact cards by id."""
        for person in people:
            self._standing(person.id).card = person

    def save_consent(self, records: Iterable[ConsentRecord]) -> None:
        """Append records; one equal in person, channel, granted and at is kept once."""
        for record in records:
            kept = self._standing(record.person).consent.setdefault(record.channel, [])
            if all((record.granted, record.at) != (other.granted, other.at) for other in kept):
                kept.append(record)

    def suppress(self, person: str, channel: Channel, *, reason: str, at: datetime) -> None:
        """Never contact this person, nor this person's address, on this channel again."""
        standing = self._standing(person)
        standing.suppressed.setdefault(channel, (reason, at))
        if standing.card is not None and standing.card.address is not None:
            self._suppressed.add((channel, standing.card.address.casefold()))

    def start(self, version: JourneyVersion) -> None:
        """Make this version the one new people enter; earlier versions run out."""
        self._versions.setdefault(version.journey.name, {})[version.version] = version

    def running(self) -> Sequence[JourneyVersion]:
        """Return the newest version of every journey."""
        return [versions[max(versions)] for versions in self._versions.values()]

    def versions(self, journey: str) -> Sequence[JourneyVersion]:
        """Return every version of a journey, oldest first."""
        return [version for _, version in sorted(self._versions.get(journey, {}).items())]

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

    def enrol(self, enrolments: Sequence[Enrolment]) -> int:
        """Insert the enrolments that do not exist yet; return how many were new."""
        return sum(map(self._enrol, enrolments))

    def due(self, at: datetime, limit: int) -> Sequence[Dossier]:
        """Return up to ``limit`` open enrolments with ``due_at <= at``, oldest first."""
        return [self._dossier(entry, at) for entry in islice(self._queue.until(at), limit)]

    def save(self, moves: Sequence[Move]) -> int:
        """Write decisions and advances; return how many applied."""
        return sum(map(self._apply, moves))

    def record(self, signals: Sequence[Signal], at: datetime) -> int:
        """Record what happened and end what it must end; return how many ended."""
        return sum(self._record(signal, at) for signal in signals)

    def open_enrolments(self) -> Iterable[Enrolment]:
        """Return every enrolment that has not ended."""
        return [entry.enrolment for entry in self._entries.values() if entry.ended is None]

    def courses(self) -> Iterator[Course]:
        """Yield every enrolment with its end, in the order of entry."""
        for entry in self._entries.values():
            yield Course(entry.enrolment, entry.ended, entry.ended_at)

    @property
    def moves(self) -> Sequence[Move]:
        """Return every move that applied, in the order they were made."""
        return self._moves

    def _standing(self, person: str) -> _Standing:
        standing = self._people.get(person)
        if standing is None:
            standing = self._people[person] = _Standing()
        return standing

    def _enrol(self, enrolment: Enrolment) -> bool:
        key = (enrolment.person, enrolment.journey, enrolment.rotation)
        if key in self._entries:
            return False
        version = self._versions.get(enrolment.journey, {}).get(enrolment.version)
        if version is None:
            raise LedgerError(
                f"cannot enrol {enrolment.person}: version {enrolment.version} of journey "
                f"{enrolment.journey} was never started"
            )
        entry = _Entry(enrolment, version, self._standing(enrolment.person))
        self._entries[key] = self._latest[key[:2]] = entry
        entry.standing.open[entry] = None
        self._queue.add(entry, enrolment.due_at)
        return True

    def _dossier(self, entry: _Entry, at: datetime) -> Dossier:
        enrolment, standing, journey = entry.enrolment, entry.standing, entry.version.journey
        send = journey.steps[enrolment.position]
        assert isinstance(send, Send)
        card = standing.card
        address = None if card is None else card.address
        permission = decide_permission(
            standing.consent.get(send.channel, ()),
            purpose=journey.purpose,
            country=None if card is None else card.country,
            last_purchase_at=enrolment.last_order_at,
            soft_opt_in=self._soft_opt_in,
            at=at,
        )
        return Dossier(
            enrolment,
            permission,
            address is not None,
            self._is_suppressed(standing, send.channel, address),
            entry.exit,
            self._counted(entry, at),
        )

    def _is_suppressed(self, standing: _Standing, channel: Channel, address: str | None) -> bool:
        if channel in standing.suppressed:
            return True
        if not self._suppressed or address is None:
            return False
        return (channel, address.casefold()) in self._suppressed

    def _counted(self, entry: _Entry, at: datetime) -> tuple[Sent, ...]:
        """Return the marketing sends in the window; ghosts bind the held out alone."""
        sent = entry.standing.sent
        if entry.standing.ghosts and entry.enrolment.arm is Arm.HOLDOUT:
            sent = sorted(sent + entry.standing.ghosts, key=lambda one: one.at)
        since = at - self._window
        if not sent or sent[-1].at <= since:
            return ()
        return tuple(one for one in sent if since < one.at <= at)

    def _apply(self, move: Move) -> bool:
        before = move.before
        entry = self._entries.get((before.person, before.journey, before.rotation))
        if entry is None or entry.ended is not None:
            return False
        found = entry.enrolment
        if found.position != before.position or found.due_at != before.due_at:
            return False
        self._moves.append(move)
        self._count(entry, move)
        if move.ended is not None:
            self._close(entry, move.ended, move.at)
        else:
            self._queue.remove(entry, found.due_at)
            self._queue.add(entry, move.next.due_at)
            entry.enrolment = move.next
        return True

    def _count(self, entry: _Entry, move: Move) -> None:
        if entry.version.journey.purpose is Purpose.TRANSACTIONAL:
            return
        if move.decision.answer is Answer.SEND:
            entry.standing.sent.append(Sent(move.step.channel, move.at))
        elif move.decision.reason is Reason.HELD_OUT:
            entry.standing.ghosts.append(Sent(move.step.channel, move.at))

    def _close(self, entry: _Entry, reason: Reason, at: datetime) -> None:
        entry.ended, entry.ended_at = reason, at
        del entry.standing.open[entry]
        self._queue.remove(entry, entry.enrolment.due_at)

    def _record(self, signal: Signal, at: datetime) -> int:
        if signal.key in self._signals:
            return 0
        self._signals.add(signal.key)
        standing = self._standing(signal.person)
        if signal.kind is SignalKind.ORDER:
            newest = standing.newest_order_at
            if newest is None or newest < signal.at:
                standing.newest_order_at = signal.at
            ended = [entry for entry in standing.open if entry.is_ended_by(signal.at)]
        else:
            ended = list(standing.open)
            for channel in Channel:
                self.suppress(signal.person, channel, reason=signal.kind, at=at)
        for entry in ended:
            self._close(entry, Reason(signal.kind.value), at)
        return len(ended)
