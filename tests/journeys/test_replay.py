"""A replay is the real engine over history, and counts returns from the history itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from rekindle.experiments import assign
from rekindle.gate import BookRules, Cap, HouseRules
from rekindle.journeys import (
    Candidate,
    Journey,
    JourneyVersion,
    MemoryBook,
    Person,
    Replayed,
    Signal,
    parse_journey,
    replay,
)
from rekindle.vocabulary import Answer, Arm, Channel, Reason, SignalKind

START = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SALT = "replay"
JOURNEY = parse_journey(
    """\
journey: lapsed
enter: {audience: tier = 'lapsed'}
goal: {on: order, within: 30 days}
steps:
  - wait: 2 days
  - send: {channel: email, template: check-in}
  - wait: 5 days
  - send: {channel: email, template: nudge}
"""
)


class EveryBuyer:
    """An audience of everyone it was given, who all bought a hundred days ago."""

    def __init__(self, people: Collection[str]) -> None:
        self.people = people

    def entrants(self, version: JourneyVersion, at: datetime) -> Iterable[Candidate]:
        return [Candidate(person, START - 100 * DAY) for person in self.people]

    def matching(self, predicate: str, at: datetime, people: Collection[str]) -> set[str]:
        return set(people)

    def dates(self, column: str, at: datetime, people: Collection[str]) -> dict[str, date]:
        return {}

    def amounts(self, column: str, at: datetime, people: Collection[str]) -> dict[str, float]:
        return {}

    def last_orders(self, at: datetime, people: Collection[str]) -> dict[str, datetime]:
        return {}


def people_of(arm: Arm, count: int) -> list[str]:
    """Return people whom the hash puts into ``arm`` at a holdout of one half."""
    found = (f"person-{number}" for number in range(1000))
    matching = (one for one in found if assign(one, salt=SALT, holdout_share=0.5) is arm)
    return [next(matching) for _ in range(count)]


def run(
    people: Collection[str],
    *orders: tuple[str, timedelta],
    days: int = 40,
    journey: Journey = JOURNEY,
) -> Replayed:
    book = MemoryBook(BookRules(soft_opt_in=True, longest_window=7 * DAY))
    book.save_people(Person(one, f"{one}@example.com") for one in people)
    signals = [
        Signal(person, SignalKind.ORDER, START + after, f"{person} {after}")
        for person, after in sorted(orders, key=lambda order: order[1])
    ]
    return replay(
        JourneyVersion(journey, 1, 0.5, SALT, START),
        book=book,
        audience=EveryBuyer(people),
        signals=signals,
        ticks=(START + number * DAY for number in range(days)),
        rules=HouseRules((Cap(Channel("email"), 1, 16 * HOUR),)),
        cost={Channel("email"): 1000},
    )


TREATED = people_of(Arm.TREATMENT, 4)
HELD_OUT = people_of(Arm.HOLDOUT, 2)


def test_replay_counts_touches_arms_and_cost() -> None:
    replayed = run(TREATED + HELD_OUT)
    assert replayed.assigned == {Arm.TREATMENT: 4, Arm.HOLDOUT: 2}
    assert replayed.touches == {Answer.SEND: 8, Answer.HOLD: 0, Answer.SKIP: 4}
    assert (replayed.reasons, replayed.cost_micros) == ({Reason.HELD_OUT: 4}, 8000)
    assert replayed.ended == {Reason.FINISHED: 6}
    assert len(replayed.sends) == 8


def test_purchase_stops_what_was_to_come() -> None:
    alice = TREATED[0]
    replayed = run([alice], (alice, 3 * DAY))
    assert [move.step.key for move in replayed.sends] == ["check-in"]
    assert replayed.ended == {Reason.ORDER: 1}
    assert (replayed.returned[Arm.TREATMENT], replayed.returned_before_first_touch) == (1, 0)


def test_purchase_at_the_very_instant_of_a_look_is_seen_by_the_next() -> None:
    alice = TREATED[0]
    replayed = run([alice], (alice, 2 * DAY))
    assert [move.at for move in replayed.sends] == [START + 2 * DAY]
    assert replayed.ended == {Reason.ORDER: 1}
    assert replayed.sent_after_return == 0
    assert replayed.returned_before_first_touch == 1


def test_returns_are_counted_in_both_arms_from_the_first_touch_or_ghost() -> None:
    (early, late), quiet = HELD_OUT, TREATED[0]
    replayed = run([early, late, quiet], (early, DAY), (late, 3 * DAY))
    assert replayed.returned == {Arm.TREATMENT: 0, Arm.HOLDOUT: 2}
    assert replayed.returned_before_first_touch == 1


def test_person_who_returns_twice_counts_once() -> None:
    alice = TREATED[0]
    assert run([alice], (alice, DAY), (alice, 9 * DAY)).returned[Arm.TREATMENT] == 1


def test_purchase_after_the_goals_time_is_no_return() -> None:
    alice = TREATED[0]
    inside, outside = run([alice], (alice, 30 * DAY)), run([alice], (alice, 30 * DAY + HOUR))
    assert (inside.returned[Arm.TREATMENT], outside.returned[Arm.TREATMENT]) == (1, 0)


def test_purchase_known_at_entry_is_no_return() -> None:
    alice = TREATED[0]
    assert run([alice], (alice, -100 * DAY)).returned[Arm.TREATMENT] == 0


def test_touch_after_a_return_does_not_take_credit_for_it() -> None:
    alice, unstoppable = TREATED[0], replace(JOURNEY, exits=frozenset())
    replayed = run([alice], (alice, DAY), journey=unstoppable)
    assert (len(replayed.sends), replayed.returned_before_first_touch) == (2, 1)


def test_history_after_the_last_tick_is_not_read() -> None:
    alice = TREATED[0]
    assert run([alice], (alice, 5 * DAY), days=5).returned[Arm.TREATMENT] == 0


def test_nothing_is_sent_after_a_return() -> None:
    orders = [(person, number * 31 * HOUR) for number, person in enumerate(TREATED + HELD_OUT)]
    assert run(TREATED + HELD_OUT, *orders).sent_after_return == 0


def test_send_after_a_return_would_be_counted() -> None:
    class DeafBook(MemoryBook):
        def record(self, signals: object, at: datetime) -> int:
            return 0

    alice = TREATED[0]
    book = DeafBook(BookRules(soft_opt_in=True, longest_window=DAY))
    book.save_people([Person(alice, "alice@example.com")])
    replayed = replay(
        JourneyVersion(JOURNEY, 1, 0.5, SALT, START),
        book=book,
        audience=EveryBuyer([alice]),
        signals=[Signal(alice, SignalKind.ORDER, START + 3 * DAY, "order")],
        ticks=(START + number * DAY for number in range(9)),
        rules=HouseRules(),
        cost={Channel("email"): 1000},
    )
    assert replayed.sent_after_return == 1
