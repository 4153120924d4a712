"""The engine: who enters, when each touch is asked about, and how a journey ends."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from rekindle.errors import LedgerError
from rekindle.journeys import (
    Candidate,
    Cap,
    Engine,
    Goal,
    HouseRules,
    Journey,
    JourneyVersion,
    MemoryBook,
    Move,
    Person,
    Send,
    Signal,
    Step,
    Terms,
    Wait,
)
from rekindle.vocabulary import Answer, Arm, Channel, Purpose, Reason, SignalKind

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
HELLO, AGAIN = Send("0", Channel.EMAIL, "hello"), Send("2", Channel.EMAIL, "again")
STEPS: tuple[Step, ...] = (HELLO, Wait("1", 5 * DAY), AGAIN)
COST = {Channel.EMAIL: 1000}


class FixedAudience:
    """An audience that is told who enters and who matches; it counts the questions."""

    def __init__(self, *people: str) -> None:
        self.people = people
        self.matches: set[str] = set()
        self.asked: list[tuple[str, frozenset[str]]] = []
        self.days: dict[str, date] = {}
        self.orders: dict[str, datetime] = {}

    def entrants(self, version: JourneyVersion, at: datetime) -> Iterable[Candidate]:
        return [Candidate(person, at - 100 * DAY) for person in self.people]

    def matching(self, predicate: str, at: datetime, people: Collection[str]) -> set[str]:
        self.asked.append((predicate, frozenset(people)))
        return self.matches & set(people)

    def dates(self, column: str, at: datetime, people: Collection[str]) -> dict[str, date]:
        return {person: self.days[person] for person in people if person in self.days}

    def last_orders(self, at: datetime, people: Collection[str]) -> dict[str, datetime]:
        return {person: self.orders[person] for person in people if person in self.orders}


class World:
    """A book, an audience and an engine over them."""

    def __init__(self, *people: str, caps: Sequence[Cap] = (), held_out: str = "") -> None:
        self.book = MemoryBook(Terms(soft_opt_in=True, longest_window=7 * DAY))
        self.book.save_people(Person(name, f"{name}@example.com") for name in people)
        self.audience = FixedAudience(*people)
        self.held_out = held_out
        self.engine = Engine(
            self.book, self.audience, rules=HouseRules(tuple(caps)), cost=COST, assign=self.assign
        )

    def assign(self, person: str, *, salt: str, holdout_share: float) -> Arm:
        return Arm.HOLDOUT if person == self.held_out else Arm.TREATMENT

    def start(self, *steps: Step, number: int = 1, name: str = "lapsed", **changes: object) -> None:
        journey = Journey(name, "true", Goal(SignalKind.ORDER, 30 * DAY), steps or STEPS)
        journey = replace(journey, **changes)  # type: ignore[arg-type]
        self.book.start(JourneyVersion(journey, number, 0.1, name, START))

    def told(self, person: str = "alice") -> list[tuple[str, Answer, Reason | None, timedelta]]:
        return [
            (move.step.template, move.decision.answer, move.decision.reason, move.at - START)
            for move in self.moves(person)
        ]

    def moves(self, person: str = "alice") -> list[Move]:
        return [move for move in self.book.moves if move.before.person == person]

    def ends(self) -> list[Reason | None]:
        return [course.ended for course in self.book.courses()]


def test_person_walks_through_sends_and_waits_to_the_end() -> None:
    world = World("alice")
    world.start()
    reports = [world.engine.tick(START + days * DAY) for days in range(7)]
    assert world.told() == [
        ("hello", Answer.SEND, None, timedelta(0)),
        ("again", Answer.SEND, None, 5 * DAY),
    ]
    assert world.ends() == [Reason.FINISHED]
    assert (reports[0].entered, reports[0].decisions) == (1, {(Answer.SEND, None): 1})
    assert reports[5].ended == {Reason.FINISHED: 1}
    assert [move.cost_micros for move in world.moves()] == [1000, 1000]


def test_tick_repeated_does_nothing() -> None:
    world = World("alice", "bob")
    world.start()
    world.engine.tick(START)
    report = world.engine.tick(START)
    assert (report.entered, report.decisions, len(world.book.moves)) == (0, {}, 2)


def test_waits_before_the_first_send_and_after_the_last_are_settled() -> None:
    world = World("alice")
    world.start(Wait("first", HOUR), Wait("then", DAY), HELLO, Wait("last", 9 * DAY))
    for hours in (0, 24, 25, 26):
        world.engine.tick(START + hours * HOUR)
    assert world.told() == [("hello", Answer.SEND, None, 25 * HOUR)]
    assert world.ends() == [Reason.FINISHED]


def test_small_batches_decide_everyone_once() -> None:
    people = [f"person-{number}" for number in range(25)]
    world = World(*people)
    world.start()
    report = world.engine.tick(START, batch=4)
    assert report.entered == 25
    assert sorted(move.before.person for move in world.book.moves) == sorted(people)


# Entering


def test_person_enters_once_by_default() -> None:
    world = World("alice")
    world.start(HELLO)
    assert [world.engine.tick(START + days * DAY).entered for days in (0, 1, 999)] == [1, 0, 0]


def test_person_may_enter_again_only_after_the_time_and_the_end() -> None:
    world = World("alice")
    world.start(HELLO, Wait("1", 20 * DAY), AGAIN, reenter=10 * DAY)
    entered = [world.engine.tick(START + days * DAY).entered for days in (0, 10, 20, 21)]
    assert entered == [1, 0, 0, 1]
    rotations = [course.enrolment.rotation for course in world.book.courses()]
    assert rotations == [0, 1]


def test_time_to_reenter_counts_from_the_last_entry() -> None:
    world = World("alice")
    world.start(HELLO, reenter=10 * DAY)
    before = [world.engine.tick(START + t).entered for t in (timedelta(0), 10 * DAY - HOUR)]
    assert before == [1, 0]
    assert [world.engine.tick(START + days * DAY).entered for days in (10, 19, 20)] == [1, 0, 1]


def test_assignment_stays_over_entries() -> None:
    world = World("alice", held_out="alice")
    world.start(HELLO, reenter=DAY)
    world.engine.tick(START)
    world.held_out = "nobody"
    world.engine.tick(START + 2 * DAY)
    assert [course.enrolment.arm for course in world.book.courses()] == [Arm.HOLDOUT] * 2


def test_person_finishes_the_version_they_entered() -> None:
    world = World("alice", "bob")
    world.audience.people = ("alice",)
    world.start()
    world.engine.tick(START)
    world.start(replace(HELLO, template="new"), number=2)
    world.audience.people = ("alice", "bob")
    world.engine.tick(START + 5 * DAY)
    assert [told[0] for told in world.told("alice")] == ["hello", "again"]
    assert [told[0] for told in world.told("bob")] == ["new"]


def test_version_that_is_not_on_record_is_refused() -> None:
    world = World("alice")
    stranger = JourneyVersion(
        Journey("lost", "true", Goal(SignalKind.ORDER, DAY), STEPS), 3, 0.1, "lost", START
    )
    with pytest.raises(LedgerError, match="version 3 of journey lost, which is not on record"):
        world.engine.enter(stranger, START)


# Conditions


def test_step_whose_condition_is_not_met_is_skipped() -> None:
    world = World("alice", "bob")
    world.start(replace(HELLO, when="lifetime_value > 50"), Wait("1", DAY), AGAIN)
    world.audience.matches = {"bob"}
    world.engine.tick(START)
    world.engine.tick(START + DAY)
    assert [told[1:3] for told in world.told("alice")] == [
        (Answer.SKIP, Reason.CONDITION_NOT_MET),
        (Answer.SEND, None),
    ]
    assert [told[1] for told in world.told("bob")] == [Answer.SEND, Answer.SEND]


def test_condition_is_asked_once_for_a_batch_and_only_about_those_it_binds() -> None:
    world = World("alice", "bob")
    world.start(replace(HELLO, when="lifetime_value > 50"))
    world.start(HELLO, name="other")
    world.engine.tick(START)
    assert world.audience.asked == [("lifetime_value > 50", frozenset({"alice", "bob"}))]


# Ends and skips


def test_purchase_before_the_next_touch_ends_the_journey() -> None:
    world = World("alice")
    world.start()
    world.engine.tick(START)
    world.book.record([Signal("alice", SignalKind.ORDER, START + DAY, "1")], START + 2 * DAY)
    world.engine.tick(START + 5 * DAY)
    assert len(world.told()) == 1
    assert world.ends() == [Reason.ORDER]


def test_purchase_that_overtook_the_entry_ends_it_at_the_gate() -> None:
    world = World("alice")
    world.start()
    world.book.record([Signal("alice", SignalKind.ORDER, START - DAY, "1")], START)
    report = world.engine.tick(START)
    assert report.ended == {Reason.ORDER: 1}
    assert world.told() == [("hello", Answer.SKIP, Reason.EXIT_REACHED, timedelta(0))]
    (move,) = world.moves()
    assert move.next == move.before
    assert world.ends() == [Reason.ORDER]


def test_touch_without_permission_is_skipped_and_says_which_rule() -> None:
    world = World("alice")
    world.book = MemoryBook(Terms(soft_opt_in=False, longest_window=DAY))
    world.book.save_people([Person("alice", "alice@example.com")])
    world.engine = Engine(world.book, world.audience, rules=HouseRules(), cost=COST)
    world.start()
    world.engine.tick(START)
    (move,) = world.moves()
    assert (move.decision.reason, move.detail) == (Reason.NO_PERMISSION, "no_record")
    assert (move.cost_micros, move.next.position) == (0, 2)


def test_overdue_touches_are_skipped_and_never_burst() -> None:
    world = World("alice")
    world.start(HELLO, Wait("1", DAY), AGAIN, Wait("3", DAY), replace(AGAIN, key="4"))
    for days in (0, 30, 31):
        world.engine.tick(START + days * DAY)
    assert [(told[2], told[3]) for told in world.told()] == [
        (None, timedelta(0)),
        (Reason.STALE, 30 * DAY),
        (None, 31 * DAY),
    ]


# Caps


def test_capped_touch_is_held_and_never_overtaken_by_the_next() -> None:
    world = World("alice", caps=[Cap(Channel.EMAIL, 1, DAY)])
    world.start(HELLO, AGAIN)
    for hours in (0, 1, 23, 24):
        world.engine.tick(START + hours * HOUR)
    assert world.told() == [
        ("hello", Answer.SEND, None, timedelta(0)),
        ("again", Answer.HOLD, Reason.CAP, timedelta(0)),
        ("again", Answer.SEND, None, 24 * HOUR),
    ]


def test_touch_held_too_long_expires_as_stale() -> None:
    world = World("alice", caps=[Cap(None, 1, 7 * DAY)])
    world.start(HELLO, AGAIN)
    for days in range(8):
        world.engine.tick(START + days * DAY)
    assert [told[1:3] for told in world.told()] == [
        (Answer.SEND, None),
        (Answer.HOLD, Reason.CAP),
        (Answer.SKIP, Reason.STALE),
    ]


def test_two_journeys_in_one_batch_share_the_cap() -> None:
    world = World("alice", caps=[Cap(Channel.EMAIL, 1, DAY)])
    world.start(HELLO)
    world.start(HELLO, name="other")
    world.engine.tick(START)
    assert [told[1] for told in world.told()] == [Answer.SEND, Answer.HOLD]


def test_transactional_journey_is_not_capped_and_does_not_count() -> None:
    world = World("alice", caps=[Cap(Channel.EMAIL, 1, DAY)])
    world.start(HELLO, AGAIN, name="receipt", purpose=Purpose.TRANSACTIONAL)
    world.start(HELLO, name="lapsed")
    world.engine.tick(START)
    assert [told[1] for told in world.told()] == [Answer.SEND] * 3


# The holdout


def test_held_out_person_takes_the_same_way_in_silence() -> None:
    world = World("alice", "bob", caps=[Cap(Channel.EMAIL, 1, DAY)], held_out="bob")
    world.start(HELLO, AGAIN)
    for hours in (0, 24):
        world.engine.tick(START + hours * HOUR)
    alice, bob = world.told("alice"), world.told("bob")
    assert [(told[0], told[3]) for told in alice] == [(told[0], told[3]) for told in bob]
    assert [told[2] for told in bob] == [Reason.HELD_OUT, Reason.CAP, Reason.HELD_OUT]
    assert sum(move.cost_micros for move in world.moves("bob")) == 0
    assert world.ends() == [Reason.FINISHED, Reason.FINISHED]
