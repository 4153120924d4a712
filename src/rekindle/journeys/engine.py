"""The one engine: who enters, what is decided about everyone who is due, what comes next.

It is pure but for the book it is given, so the same code runs the live workspace and
the replay of last year. People stay on the version of the journey they entered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol

from rekindle.experiments import assign as assign_by_hash
from rekindle.experiments import draw
from rekindle.gate import Enrolment, HouseRules
from rekindle.journeys.asking import UNANSWERED
from rekindle.journeys.deciding import Decider
from rekindle.journeys.interfaces import (
    Audience,
    Decide,
    ObservingAudience,
    Queue,
    SlowAudience,
    UnaskedError,
)
from rekindle.journeys.model import (
    NOTHING_OBSERVED,
    Batch,
    Candidate,
    Covariates,
    Journey,
    JourneyVersion,
    Move,
    Past,
    Trigger,
)
from rekindle.journeys.route import arrival
from rekindle.vocabulary import Answer, Arm, Channel, Reason, SignalKind

EVERYONE = "true"
# Enough to make the cost of a transaction small, few enough to keep others from waiting.
BATCH = 2000


class Assign(Protocol):
    """Draws the arm of a person; the same arguments always give the same arm."""

    def __call__(self, person: str, *, salt: str, holdout_share: float) -> Arm:
        """Return the arm of ``person`` in the experiment named by ``salt``."""


@dataclass(frozen=True, slots=True)
class TickReport:
    """What one tick did.

    ``decisions`` counts the moves by answer and reason (None with SEND); ``ended``
    the enrolments that ended here, by reason; ``dropped`` how many of those moves did
    not apply because an exit was quicker; ``closed`` names the journeys that nobody could
    enter, with the reason.
    """

    entered: int = 0
    decisions: Mapping[tuple[Answer, Reason | None], int] = field(default_factory=dict)
    ended: Mapping[Reason, int] = field(default_factory=dict)
    dropped: int = 0
    closed: Mapping[str, str] = field(default_factory=dict)


class JourneyEngine:
    """Moves people through journeys.

    ``cost`` is what one message through each channel costs, in micros of the
    workspace's currency; a ghost costs nothing.
    """

    def __init__(
        self,
        queue: Queue,
        audience: Audience,
        *,
        rules: HouseRules,
        cost: Mapping[Channel, int],
        assign: Assign = assign_by_hash,
    ) -> None:
        self._queue = queue
        self._audience = audience
        self._assign = assign
        self._decider = Decider(queue, audience, rules=rules, cost=cost)
        self._closed: dict[str, str] = {}

    def tick(self, at: datetime, *, batch: int = BATCH) -> TickReport:
        """Let people enter every running journey, then decide everything due at ``at``.

        ``batch`` bounds how many people are held in memory at once. A tick repeated at
        the same instant finds nothing left to do.
        """
        self._closed = {}
        entered = sum(self.enter(version, at, batch=batch) for version in self._queue.running())
        decisions: Counter[tuple[Answer, Reason | None]] = Counter()
        ended: Counter[Reason] = Counter()
        made = 0

        def decide(due: Batch) -> Sequence[Move]:
            nonlocal made
            moves = self._decider.decide(due, at)
            made += len(moves)
            decisions.update([(move.decision.answer, move.decision.reason) for move in moves])
            ended.update([move.ended for move in moves if move.ended is not None])
            return moves

        applied = 0
        while found := self._take_due(at, batch, decide):
            applied += found
        return TickReport(entered, decisions, ended, made - applied, dict(self._closed))

    def _take_due(self, at: datetime, limit: int, decide: Decide) -> int | None:
        """Take a batch and decide about it, without a slow question while it is taken.

        Whoever is taken is held for everybody else, signals that end a journey included,
        and the answer of an engine may take seconds. So what is not known yet gives the
        batch back unwritten, is asked, and the batch is taken again.
        """
        audience = self._audience
        if not isinstance(audience, SlowAudience):
            return self._queue.take_due(at, limit, decide)
        while True:
            try:
                with audience.known_only():
                    return self._queue.take_due(at, limit, decide)
            except UnaskedError as question:
                # One without an answer is remembered, and holds those who need it.
                with suppress(*UNANSWERED):
                    question.ask()

    def enter(self, version: JourneyVersion, at: datetime, *, batch: int = BATCH) -> int:
        """Enrol those who may enter a journey now; return how many did.

        A person enters once, or again ``reenter`` after the last entry if that one
        has ended. The arm drawn at the first entry stays for all later ones.
        """
        candidates = self._answered(version, at)
        entered = 0
        while chunk := list(islice(candidates, batch)):
            past = self._queue.past(version.journey.name, [one.person for one in chunk])
            enrolments = list(self._build_enrolments(version, at, chunk, past))
            if enrolments:
                seen = self._observe(at, [one.person for one in enrolments])
                entered += self._queue.enrol(enrolments, seen)
        return entered

    def _observe(self, at: datetime, people: Collection[str]) -> Mapping[str, Covariates]:
        """Return what these people are as they enter, where the audience says it."""
        if isinstance(self._audience, ObservingAudience):
            return self._audience.covariates(at, people)
        return NOTHING_OBSERVED

    def _answered(self, version: JourneyVersion, at: datetime) -> Iterator[Candidate]:
        """Yield the candidates; one journey's audience without an answer stops no other."""
        try:
            yield from self._candidates(version, at)
        except UNANSWERED as error:
            self._closed[version.journey.name] = str(error)

    def _candidates(self, version: JourneyVersion, at: datetime) -> Iterable[Candidate]:
        trigger = version.journey.trigger
        if trigger is None:
            return self._audience.entrants(version, at)
        return self._triggered(version, trigger, at)

    def _triggered(
        self, version: JourneyVersion, trigger: Trigger, at: datetime
    ) -> Iterator[Candidate]:
        """Yield whom an event lets in, but for those who have bought since it happened."""
        journey = version.journey
        found = self._queue.triggered(trigger, since=version.since, at=at)
        if not found:
            return
        people = set(found)
        if journey.audience != EVERYONE:
            people = self._audience.matching(journey.audience, at, people)
        orders = self._audience.last_orders(at, people)
        for person in sorted(people):
            ordered_at, triggered_at = orders.get(person), found[person]
            has_bought = ordered_at is not None and ordered_at > triggered_at
            if not (has_bought and SignalKind.ORDER in journey.exits):
                yield Candidate(person, ordered_at, triggered_at)

    def _build_enrolments(
        self,
        version: JourneyVersion,
        at: datetime,
        candidates: Iterable[Candidate],
        past: Mapping[str, Past],
    ) -> Iterator[Enrolment]:
        journey = version.journey
        entry = self._decider.entry(journey.name, version.version)
        for candidate in candidates:
            person, before = candidate.person, past.get(candidate.person)
            if not may_enter(version, candidate, before, at):
                continue
            entered_at = candidate.triggered_at or at
            ready_at = arrival(entry, entered_at)
            assert entry.position is not None, "a journey that is over as it begins"
            yield Enrolment(
                person=person,
                journey=journey.name,
                version=version.version,
                rotation=0 if before is None else before.rotation + 1,
                arm=self._draw(version, person) if before is None else before.arm,
                entered_at=entered_at,
                last_order_at=candidate.last_order_at,
                position=entry.position,
                ready_at=ready_at,
                due_at=ready_at,
            )

    def _draw(self, version: JourneyVersion, person: str) -> Arm:
        return self._assign(person, salt=version.salt, holdout_share=version.holdout_share)


def may_enter(
    version: JourneyVersion, candidate: Candidate, past: Past | None, at: datetime
) -> bool:
    """Return whether someone with this past, None for none, may enter a journey at ``at``."""
    if past is None:
        return may_begin(version, candidate, at)
    triggered_at = candidate.triggered_at
    if triggered_at is not None and triggered_at <= past.entered_at:
        return False  # the event that let them in then
    return _may_reenter(version, past, at)


def may_begin(version: JourneyVersion, candidate: Candidate, at: datetime) -> bool:
    """Return whether the pilot and the back-fill let a first entry happen at ``at``.

    Both go by hash: a pilot that is widened takes people in and puts nobody out, and a
    person's turn in a back-fill does not depend on when anybody looks.
    """
    journey, person = version.journey, candidate.person
    if journey.pilot < 1 and draw(person, salt=f"{version.salt}/pilot") >= journey.pilot:
        return False
    return not candidate.was_matching or _has_turn(journey, version, person, at)


def _may_reenter(version: JourneyVersion, past: Past, at: datetime) -> bool:
    reenter = version.journey.reenter
    return reenter is not None and not past.is_open and at - past.entered_at >= reenter


def _has_turn(journey: Journey, version: JourneyVersion, person: str, at: datetime) -> bool:
    if journey.backfill is None:
        return False
    if journey.backfill == timedelta(0):
        return True
    turn = draw(person, salt=f"{version.salt}/backfill") * journey.backfill
    return at - version.since >= turn
