"""The one engine: who enters, what the gate says about each touch, what comes next.

It is pure but for the book it is given, so the same code runs the live workspace and
the replay of last year. People stay on the version of the journey they entered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol

from rekindle.errors import LedgerError
from rekindle.experiments import assign as assign_by_hash
from rekindle.journeys.gate import Cap, GateContext, Policy, decide
from rekindle.journeys.interfaces import Audience, Book
from rekindle.journeys.model import (
    Candidate,
    Decision,
    Dossier,
    Enrolment,
    JourneyVersion,
    Move,
    Past,
    Send,
    Wait,
)
from rekindle.vocabulary import Answer, Arm, Channel, Reason

NO_WAIT = timedelta(0)


class Assign(Protocol):
    """Draws the arm of a person; the same arguments always give the same arm."""

    def __call__(self, person: str, *, salt: str, holdout_share: float) -> Arm:
        """Return the arm of ``person`` in the experiment named by ``salt``."""


@dataclass(frozen=True, slots=True)
class TickReport:
    """What one tick did.

    ``decisions`` counts the moves by answer and reason (None with SEND); ``ended``
    the enrolments that ended here, by reason; ``dropped`` how many of those moves did
    not apply because another worker or an exit was quicker.
    """

    entered: int = 0
    decisions: Mapping[tuple[Answer, Reason | None], int] = field(default_factory=dict)
    ended: Mapping[Reason, int] = field(default_factory=dict)
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class _Stop:
    """A send in a version's steps; the way on is ``next``, None at the end, after ``wait``."""

    send: Send
    policy: Policy
    next: int | None
    wait: timedelta


@dataclass(frozen=True, slots=True)
class _Route:
    """A version as the engine walks it: from send to send, the waits between settled."""

    first: int
    lead: timedelta
    stops: Mapping[int, _Stop]


class Engine:
    """Moves people through journeys.

    ``cost`` is what one message through each channel costs, in micros of the
    workspace's currency; a ghost costs nothing.
    """

    def __init__(
        self,
        book: Book,
        audience: Audience,
        *,
        caps: Sequence[Cap],
        cost: Mapping[Channel, int],
        assign: Assign = assign_by_hash,
    ) -> None:
        self._book = book
        self._audience = audience
        self._caps = tuple(caps)
        self._cost = cost
        self._assign = assign
        self._routes: dict[tuple[str, int], _Route] = {}

    def tick(self, at: datetime, *, batch: int = 1000) -> TickReport:
        """Let people enter every running journey, then decide everything due at ``at``.

        ``batch`` bounds how many people are held in memory at once. A tick repeated at
        the same instant finds nothing left to do.
        """
        entered = sum(self.enter(version, at, batch=batch) for version in self._book.running())
        decisions: Counter[tuple[Answer, Reason | None]] = Counter()
        ended: Counter[Reason] = Counter()
        dropped = 0
        while moves := self._decide_batch(self._book.due(at, batch), at):
            applied = self._book.save(moves)
            dropped += len(moves) - applied
            decisions.update((move.decision.answer, move.decision.reason) for move in moves)
            ended.update(move.ended for move in moves if move.ended is not None)
            if not applied:  # another worker is ahead on this batch; leave it the rest
                break
        return TickReport(entered, decisions, ended, dropped)

    def enter(self, version: JourneyVersion, at: datetime, *, batch: int = 1000) -> int:
        """Enrol those of the journey's audience who may enter now; return how many did.

        A person enters once, or again ``reenter`` after the last entry if that one
        has ended. The arm drawn at the first entry stays for all later ones.
        """
        candidates = iter(self._audience.entrants(version, at))
        entered = 0
        while chunk := list(islice(candidates, batch)):
            past = self._book.past(version.journey.name, [one.person for one in chunk])
            enrolments = self._build_enrolments(version, at, chunk, past)
            entered += self._book.enrol(enrolments) if enrolments else 0
        return entered

    def _build_enrolments(
        self,
        version: JourneyVersion,
        at: datetime,
        candidates: Iterable[Candidate],
        past: Mapping[str, Past],
    ) -> list[Enrolment]:
        route = self._route(version.journey.name, version.version)
        ready_at = at + route.lead
        enrolments = []
        for candidate in candidates:
            person, before = candidate.person, past.get(candidate.person)
            if before is not None and not may_reenter(version, before, at):
                continue
            enrolments.append(
                Enrolment(
                    person=person,
                    journey=version.journey.name,
                    version=version.version,
                    rotation=0 if before is None else before.rotation + 1,
                    arm=self._draw(version, person) if before is None else before.arm,
                    entered_at=at,
                    last_order_at=candidate.last_order_at,
                    position=route.first,
                    ready_at=ready_at,
                    due_at=ready_at,
                )
            )
        return enrolments

    def _draw(self, version: JourneyVersion, person: str) -> Arm:
        return self._assign(person, salt=version.salt, holdout_share=version.holdout_share)

    def _decide_batch(self, dossiers: Sequence[Dossier], at: datetime) -> list[Move]:
        """Return one move a person, so that a second touch sees what the first one sent."""
        firsts: dict[str, Dossier] = {}
        for dossier in dossiers:
            firsts.setdefault(dossier.enrolment.person, dossier)
        looks = [(dossier, self._stop_of(dossier.enrolment)) for dossier in firsts.values()]
        unmet = self._find_unmet(looks, at)
        moves = []
        for dossier, stop in looks:
            is_met = dossier.enrolment.person not in unmet
            decision = decide(GateContext(dossier, stop.send, stop.policy, at, is_met))
            moves.append(self._build_move(dossier, stop, decision, at))
        return moves

    def _find_unmet(self, looks: Iterable[tuple[Dossier, _Stop]], at: datetime) -> set[str]:
        """Return the people whose step has a condition they do not match."""
        asked: dict[str, set[str]] = {}
        for dossier, stop in looks:
            if stop.send.when is not None:
                asked.setdefault(stop.send.when, set()).add(dossier.enrolment.person)
        unmet: set[str] = set()
        for predicate, people in asked.items():
            unmet |= people - self._audience.matching(predicate, at, people)
        return unmet

    def _build_move(self, dossier: Dossier, stop: _Stop, decision: Decision, at: datetime) -> Move:
        before = dossier.enrolment
        ended = dossier.exit
        if decision.until is not None:
            assert decision.until > at, "a hold that is already over would be due for ever"
            after = _moved(before, before.position, before.ready_at, decision.until)
        elif ended is None and stop.next is not None:
            ready_at = at + stop.wait
            after = _moved(before, stop.next, ready_at, ready_at)
        else:
            after, ended = before, ended or Reason.FINISHED
        cost = self._cost[stop.send.channel] if decision.answer is Answer.SEND else 0
        permission = dossier.permission
        detail = "" if permission.is_granted else permission.rule.value
        return Move(before, stop.send, decision, at, cost, after, ended, detail)

    def _stop_of(self, enrolment: Enrolment) -> _Stop:
        route = self._routes.get((enrolment.journey, enrolment.version))
        if route is None:
            route = self._route(enrolment.journey, enrolment.version)
        return route.stops[enrolment.position]

    def _route(self, journey: str, number: int) -> _Route:
        """Return the way through a version, which never changes once it has started."""
        if (journey, number) not in self._routes:
            for version in self._book.versions(journey):
                self._routes[journey, version.version] = _build_route(version, self._caps)
        try:
            return self._routes[journey, number]
        except KeyError as error:
            raise LedgerError(
                f"someone is in version {number} of journey {journey}, which is not on "
                "record; restore the ledger from a backup that holds it"
            ) from error


def may_reenter(version: JourneyVersion, past: Past, at: datetime) -> bool:
    """Return whether someone with this past may enter the journey again at ``at``."""
    reenter = version.journey.reenter
    return reenter is not None and not past.is_open and at - past.entered_at >= reenter


def _moved(enrolment: Enrolment, position: int, ready_at: datetime, due_at: datetime) -> Enrolment:
    # Spelled out: dataclasses.replace takes four times as long, once a decision.
    return Enrolment(
        enrolment.person,
        enrolment.journey,
        enrolment.version,
        enrolment.rotation,
        enrolment.arm,
        enrolment.entered_at,
        enrolment.last_order_at,
        position,
        ready_at,
        due_at,
    )


def _build_route(version: JourneyVersion, caps: tuple[Cap, ...]) -> _Route:
    """Return the sends of a version, each with the next one and the waits before that."""
    journey = version.journey
    policy = Policy(journey.purpose, journey.stale_after, caps)
    stops: dict[int, _Stop] = {}
    following: int | None = None
    wait = NO_WAIT
    for position, step in reversed(list(enumerate(journey.steps))):
        if isinstance(step, Wait):
            wait += step.duration
        else:
            stops[position] = _Stop(step, policy, following, wait)
            following, wait = position, NO_WAIT
    if following is None:
        raise LedgerError(f"journey {journey.name} sends nothing")
    return _Route(following, wait, stops)
