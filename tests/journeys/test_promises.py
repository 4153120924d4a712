"""Random worlds, and the promises that must hold in every one of them after every tick.

Each world is drawn from its seed: people, permissions, purchases, objections, outages
of the worker, edits of the journey. What holds is checked from outside the engine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from rekindle.consent import ConsentRecord
from rekindle.journeys import (
    Candidate,
    Cap,
    Engine,
    Goal,
    Journey,
    JourneyVersion,
    MemoryBook,
    Move,
    Person,
    Send,
    Signal,
    Step,
    Wait,
)
from rekindle.vocabulary import Answer, Arm, Channel, Purpose, Reason, SignalKind

START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
CAPS = (Cap(Channel.EMAIL, 1, 16 * HOUR), Cap(None, 3, 7 * DAY))
PEOPLE = [f"person-{number}" for number in range(12)]
TICKS = 60


class World:
    """One seeded world: it drives an engine and remembers what really happened."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)
        self.now = START
        self.last_order = dict.fromkeys(PEOPLE, START - 100 * DAY)
        self.stopped: dict[str, datetime] = {}
        self.orders: list[tuple[str, datetime, datetime]] = []
        self.arms: dict[tuple[str, str], Arm] = {}
        self.book = MemoryBook(soft_opt_in=True, longest_window=7 * DAY)
        self.book.save_people(
            Person(one, f"{one}@example.com" if self.draw.random() < 0.9 else None)
            for one in PEOPLE
        )
        self.engine = Engine(self.book, self, caps=CAPS, cost={Channel.EMAIL: 1})
        self.numbers = Counter[str]()
        for name in ("first", "second", "receipt"):
            self.edit(name)

    def edit(self, name: str) -> None:
        self.numbers[name] += 1
        journey = Journey(
            name,
            "true",
            Goal(SignalKind.ORDER, 30 * DAY),
            self.draw_steps(),
            purpose=Purpose.TRANSACTIONAL if name == "receipt" else Purpose.MARKETING,
            reenter=self.draw.choice([None, 5 * DAY, 20 * DAY]),
        )
        number = self.numbers[name]
        self.book.start(JourneyVersion(journey, number, 0.3, name, self.now))

    def draw_steps(self) -> tuple[Step, ...]:
        steps: list[Step] = []
        for key in range(self.draw.randint(1, 5)):
            when = "odd" if self.draw.random() < 0.3 else None
            send = Send(str(key), Channel.EMAIL, "hello", when)
            wait = Wait(str(key), self.draw.choice([6 * HOUR, 2 * DAY, 5 * DAY]))
            steps.append(send if self.draw.random() < 0.6 else wait)
        return (*steps, Send("last", Channel.EMAIL, "bye"))

    def entrants(self, version: JourneyVersion, at: datetime) -> Iterable[Candidate]:
        chosen = self.draw.sample(PEOPLE, 5)
        return [Candidate(person, self.last_order[person]) for person in chosen]

    def matching(self, predicate: str, at: datetime, people: Collection[str]) -> set[str]:
        return {person for person in people if int(person[-1]) % 2}

    def step(self) -> None:
        """Let some time pass, sometimes an outage, then something happen, then tick."""
        self.now += self.draw.choice([HOUR, 7 * HOUR, DAY, DAY, 9 * DAY])
        for _ in range(self.draw.randint(0, 2)):
            self.happen(self.draw.choice(PEOPLE))
        self.engine.tick(self.now, batch=self.draw.choice([1, 3, 1000]))

    def happen(self, person: str) -> None:
        event = self.draw.random()
        at = self.now - self.draw.random() * DAY
        key = f"{person} {self.now} {event}"
        if event < 0.6:
            self.book.record([Signal(person, SignalKind.ORDER, at, key)], self.now)
            self.orders.append((person, at, self.now))
            self.last_order[person] = max(at, self.last_order[person])
        elif event < 0.7:
            kind = self.draw.choice([SignalKind.OPT_OUT, SignalKind.COMPLAINT, SignalKind.BOUNCE])
            self.book.record([Signal(person, kind, at, key)], self.now)
            self.stopped.setdefault(person, self.now)
        elif event < 0.8:
            self.book.save_consent([ConsentRecord(person, Channel.EMAIL, False, at, "form")])
        else:
            self.edit(self.draw.choice(["first", "second", "receipt"]))

    def sends(self) -> list[Move]:
        return [move for move in self.book.moves if move.decision.answer is Answer.SEND]


def marketing(moves: Iterable[Move]) -> list[Move]:
    return [move for move in moves if move.before.journey != "receipt"]


def check_never_twice(world: World) -> None:
    touches = Counter(
        (m.before.person, m.before.journey, m.before.version, m.step.key, m.before.rotation)
        for m in world.book.moves
        if m.decision.answer is not Answer.HOLD
    )
    assert set(touches.values()) <= {1}


def check_never_after_an_exit(world: World) -> None:
    for move in world.sends():
        known_at = move.before.last_order_at or move.before.entered_at
        assert not any(
            person == move.before.person and known_at < at and recorded_at <= move.at
            for person, at, recorded_at in world.orders
        )
        assert move.at < world.stopped.get(move.before.person, move.at + DAY)


def check_holdout_is_silent_and_sticky(world: World) -> None:
    assert all(move.before.arm is Arm.TREATMENT for move in world.sends())
    for course in world.book.courses():
        who = (course.enrolment.person, course.enrolment.journey)
        assert world.arms.setdefault(who, course.enrolment.arm) is course.enrolment.arm


def check_never_above_a_cap(world: World) -> None:
    for person in PEOPLE:
        times = [m.at for m in marketing(world.sends()) if m.before.person == person]
        for cap in CAPS:
            assert all(sum(at - cap.per < t <= at for t in times) <= cap.max for at in times)


def check_never_stale(world: World) -> None:
    assert all(move.at - move.before.ready_at <= 3 * DAY for move in world.sends())


def check_nobody_is_forgotten(world: World) -> None:
    moves: dict[tuple[str, str, int], list[Move]] = {}
    for move in world.book.moves:
        who = (move.before.person, move.before.journey, move.before.rotation)
        moves.setdefault(who, []).append(move)
    for course in world.book.courses():
        one = course.enrolment
        if course.ended is None:
            assert one.due_at > world.now
        elif course.ended is Reason.FINISHED:
            version = world.book.versions(one.journey)[one.version - 1]
            decided = [
                move.step
                for move in moves[one.person, one.journey, one.rotation]
                if move.decision.answer is not Answer.HOLD
            ]
            assert decided == list(version.journey.sends)


def check_order_of_the_queue(world: World) -> None:
    opened = {(e.person, e.journey, e.rotation) for e in world.book.open_enrolments()}
    queued = [d.enrolment for d in world.book.due(world.now + 999 * DAY, 10_000)]
    assert opened == {(e.person, e.journey, e.rotation) for e in queued}
    assert [e.due_at for e in queued] == sorted(e.due_at for e in queued)


PROMISES = (
    check_never_twice,
    check_never_after_an_exit,
    check_holdout_is_silent_and_sticky,
    check_never_above_a_cap,
    check_never_stale,
    check_nobody_is_forgotten,
    check_order_of_the_queue,
)


@pytest.mark.parametrize("seed", range(25))
def test_promises_hold_in_a_random_world(seed: int) -> None:
    world = World(seed)
    for _ in range(TICKS):
        world.step()
        for promise in PROMISES:
            promise(world)


def test_random_worlds_reach_every_reason_of_the_gate() -> None:
    seen: Counter[Reason | None] = Counter()
    ends: Counter[Reason | None] = Counter()
    for seed in range(5):
        world = World(seed)
        for _ in range(TICKS):
            world.step()
        seen.update(move.decision.reason for move in world.book.moves)
        ends.update(course.ended for course in world.book.courses())
    gate = set(Reason) - {Reason.EXIT_REACHED, Reason.UNDELIVERABLE, Reason.FINISHED}
    gate -= {Reason(kind.value) for kind in SignalKind}
    assert set(seen) == gate | {None}
    assert set(ends) >= {Reason.FINISHED, Reason.ORDER, Reason.OPT_OUT, None}
