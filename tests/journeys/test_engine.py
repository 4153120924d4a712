"""The engine: who enters, when each touch is asked about, and how a journey ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from rekindle.errors import LedgerError
from rekindle.experiments import draw
from rekindle.gate import BookRules, Budget, Cap, HouseRules, MeasuredWorth, Worth
from rekindle.journeys import (
    Branch,
    Candidate,
    End,
    Goal,
    Journey,
    JourneyEngine,
    JourneyVersion,
    MemoryBook,
    Move,
    Person,
    Send,
    Signal,
    Step,
    Trigger,
    Variant,
    Wait,
    WaitForDate,
    WaitForEvent,
    WaitForTime,
    Way,
)
from rekindle.vocabulary import Answer, Arm, Channel, Purpose, Reason, SignalKind

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
HELLO, AGAIN = Send("0", Channel("email"), "hello"), Send("2", Channel("email"), "again")
STEPS: tuple[Step, ...] = (HELLO, Wait("1", 5 * DAY), AGAIN)
COST = {Channel("email"): 1000}


class FixedAudience:
    """An audience that is told who enters and who matches; it counts the questions."""

    def __init__(self, *people: str) -> None:
        self.people = people
        self.matches: set[str] = set()
        self.asked: list[tuple[str, frozenset[str]]] = []
        self.was_matching = False
        self.days: dict[str, date] = {}
        self.orders: dict[str, datetime] = {}

    def entrants(self, version: JourneyVersion, at: datetime) -> Iterable[Candidate]:
        return [
            Candidate(person, at - 100 * DAY, None, self.was_matching) for person in self.people
        ]

    def matching(self, predicate: str, at: datetime, people: Collection[str]) -> set[str]:
        self.asked.append((predicate, frozenset(people)))
        return self.matches & set(people)

    def dates(self, column: str, at: datetime, people: Collection[str]) -> dict[str, date]:
        return {person: self.days[person] for person in people if person in self.days}

    def amounts(self, column: str, at: datetime, people: Collection[str]) -> dict[str, float]:
        return {}

    def last_orders(self, at: datetime, people: Collection[str]) -> dict[str, datetime]:
        return {person: self.orders[person] for person in people if person in self.orders}


class World:
    """A book, an audience and an engine over them."""

    def __init__(
        self,
        *people: str,
        caps: Sequence[Cap] = (),
        held_out: str = "",
        rules: HouseRules | None = None,
    ) -> None:
        rules = rules or HouseRules(tuple(caps))
        terms = BookRules(soft_opt_in=True, longest_window=7 * DAY, budgets=rules.budgets)
        self.book = MemoryBook(terms)
        self.book.save_people(Person(name, f"{name}@example.com") for name in people)
        self.audience = FixedAudience(*people)
        self.held_out = held_out
        self.engine = JourneyEngine(
            self.book, self.audience, rules=rules, cost=COST, assign=self.assign
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
            if isinstance(move.step, Send)
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
    world.book = MemoryBook(BookRules(soft_opt_in=False, longest_window=DAY))
    world.book.save_people([Person("alice", "alice@example.com")])
    world.engine = JourneyEngine(world.book, world.audience, rules=HouseRules(), cost=COST)
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
    world = World("alice", caps=[Cap(Channel("email"), 1, DAY)])
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
    world = World("alice", caps=[Cap(Channel("email"), 1, DAY)])
    world.start(HELLO)
    world.start(HELLO, name="other")
    world.engine.tick(START)
    assert [told[1] for told in world.told()] == [Answer.SEND, Answer.HOLD]


def test_transactional_journey_is_not_capped_and_does_not_count() -> None:
    world = World("alice", caps=[Cap(Channel("email"), 1, DAY)])
    world.start(HELLO, AGAIN, name="receipt", purpose=Purpose.TRANSACTIONAL)
    world.start(HELLO, name="lapsed")
    world.engine.tick(START)
    assert [told[1] for told in world.told()] == [Answer.SEND] * 3


# The holdout


def test_held_out_person_takes_the_same_way_in_silence() -> None:
    world = World("alice", "bob", caps=[Cap(Channel("email"), 1, DAY)], held_out="bob")
    world.start(HELLO, AGAIN)
    for hours in (0, 24):
        world.engine.tick(START + hours * HOUR)
    alice, bob = world.told("alice"), world.told("bob")
    assert [(told[0], told[3]) for told in alice] == [(told[0], told[3]) for told in bob]
    assert [told[2] for told in bob] == [Reason.HELD_OUT, Reason.CAP, Reason.HELD_OUT]
    assert sum(move.cost_micros for move in world.moves("bob")) == 0
    assert world.ends() == [Reason.FINISHED, Reason.FINISHED]


def event(name: str, at: datetime, person: str = "alice") -> Signal:
    kinds = {kind.value for kind in SignalKind}
    kind = SignalKind(name) if name in kinds else SignalKind.EVENT
    return Signal(person, kind, at, f"{name}@{at}", "" if name in kinds else name)


def told(world: World, person: str = "alice") -> list[tuple[str, Reason | None, timedelta]]:
    return [(move.step.key, move.decision.reason, move.at - START) for move in world.moves(person)]


UNTIL_CLICK = WaitForEvent("wait", frozenset({"click"}), 5 * DAY)


def test_wait_for_an_event_ends_when_it_happens() -> None:
    world = World("alice")
    world.start(HELLO, UNTIL_CLICK, AGAIN)
    world.engine.tick(START)
    world.engine.tick(START + DAY)
    world.book.record([event("click", START + 2 * DAY)], START + 2 * DAY)
    world.engine.tick(START + 2 * DAY)
    assert told(world) == [
        ("0", None, timedelta(0)),
        ("wait", Reason.WAITING, timedelta(0)),
        ("wait", Reason.WOKEN, 2 * DAY),
        ("2", None, 2 * DAY),
    ]


def test_wait_for_an_event_that_never_comes_ends_by_itself() -> None:
    world = World("alice")
    world.start(HELLO, UNTIL_CLICK, AGAIN)
    for day in range(7):
        world.engine.tick(START + day * DAY)
    assert told(world)[-2:] == [("wait", Reason.WAITED, 5 * DAY), ("2", None, 5 * DAY)]


def test_wait_for_an_event_looks_back_to_the_latest_message_and_no_further() -> None:
    world = World("alice")
    again = replace(AGAIN, key="4")
    steps = (HELLO, Wait("1", DAY), UNTIL_CLICK, AGAIN, replace(UNTIL_CLICK, key="w"), again)
    world.start(*steps)
    world.engine.tick(START)
    world.book.record([event("click", START + HOUR)], START + HOUR)
    world.engine.tick(START + DAY)
    assert told(world)[1:] == [
        ("wait", Reason.WOKEN, DAY),
        ("2", None, DAY),
        ("w", Reason.WAITING, DAY),
    ]


def test_behaviour_shortens_a_wait_but_only_while_it_lasts() -> None:
    world = World("alice")
    world.start(HELLO, Wait("1", 5 * DAY, frozenset({"visit"})), AGAIN)
    world.book.record([event("visit", START - HOUR)], START - HOUR)
    world.engine.tick(START)
    world.book.record([event("click", START + DAY)], START + DAY)
    world.engine.tick(START + DAY)
    assert told(world)[-1] == ("1", Reason.WAITING, timedelta(0))
    world.book.record([event("visit", START + 2 * DAY)], START + 2 * DAY)
    world.engine.tick(START + 2 * DAY)
    assert told(world)[-2:] == [("1", Reason.WOKEN, 2 * DAY), ("2", None, 2 * DAY)]


def test_shortened_wait_never_beats_the_cap() -> None:
    world = World("alice", caps=[Cap(Channel("email"), 1, 3 * DAY)])
    world.start(HELLO, Wait("1", 5 * DAY, frozenset({"visit"})), AGAIN)
    world.engine.tick(START)
    world.book.record([event("visit", START + DAY)], START + DAY)
    world.engine.tick(START + DAY)
    assert told(world)[-1] == ("2", Reason.CAP, DAY)
    world.engine.tick(START + 3 * DAY)
    assert told(world)[-1] == ("2", None, 3 * DAY)


def test_wait_until_a_local_time_is_kept_where_the_person_is() -> None:
    world = World("alice")
    world.book.save_people([Person("alice", "a@example.com", timezone="Asia/Tokyo")])
    world.start(HELLO, WaitForTime("wait", time(9, 30), 2), AGAIN)
    for hours in range(60):
        world.engine.tick(START + hours * HOUR)
    wednesday = datetime(2026, 3, 4, 0, 30, tzinfo=UTC) - START
    assert told(world)[1] == ("wait", Reason.WAITING, timedelta(0))
    assert world.moves()[1].decision.until == START + wednesday
    assert told(world)[-1][2] == 40 * HOUR  # the first look after it


def test_wait_until_a_date_follows_the_date_when_it_moves() -> None:
    world = World("alice")
    world.audience.days["alice"] = date(2026, 3, 10)
    world.start(HELLO, WaitForDate("wait", "renews_on", 60 * DAY, 3), AGAIN)
    world.engine.tick(START)
    world.audience.days["alice"] = date(2026, 3, 20)
    for day in range(20):
        world.engine.tick(START + day * DAY)
    held = [m.decision.until for m in world.moves() if m.decision.reason is Reason.WAITING]
    assert held == [datetime(2026, 3, 7, tzinfo=UTC), datetime(2026, 3, 17, tzinfo=UTC)]
    assert told(world)[-1] == ("2", None, 15 * DAY)


@pytest.mark.parametrize(
    ("day", "waited"), [(date.max, 60), (date(9998, 12, 31), 60), (date.min, 0), (date(1, 1, 2), 0)]
)
def test_date_at_the_edge_of_time_is_waited_for_as_long_as_allowed(day: date, waited: int) -> None:
    world = World("alice")
    world.audience.days["alice"] = day
    world.start(HELLO, WaitForDate("wait", "renews_on", 60 * DAY, 3), AGAIN)
    for days in (0, 60):
        world.engine.tick(START + days * DAY)
    assert told(world)[-1] == ("2", None, waited * DAY)


def test_person_without_the_date_goes_on_at_once() -> None:
    world = World("alice")
    world.start(HELLO, WaitForDate("wait", "renews_on", 60 * DAY), AGAIN)
    world.engine.tick(START)
    assert told(world)[1:] == [("wait", Reason.WAITED, timedelta(0)), ("2", None, timedelta(0))]


def branch(*ways: Way) -> Branch:
    return Branch("branch", ways)


def test_branch_asks_the_profile_and_what_was_done_and_rejoins() -> None:
    world = World("alice", "bob", "carol")
    world.audience.matches = {"bob"}
    basket, rich, last = (Send(k, Channel("email"), k) for k in ("basket", "rich", "last"))
    world.start(
        HELLO,
        Wait("1", DAY),
        branch(
            Way("clicked", (basket,)), Way("value_band = 'high'", (rich, End("end"))), Way(None, ())
        ),
        last,
    )
    world.engine.tick(START)
    world.book.record([event("click", START + HOUR)], START + HOUR)
    world.engine.tick(START + DAY)
    assert [key for key, _, _ in told(world, "alice")] == ["0", "branch", "basket", "last"]
    assert [key for key, _, _ in told(world, "bob")] == ["0", "branch", "rich"]
    assert [key for key, _, _ in told(world, "carol")] == ["0", "branch", "last"]
    assert world.moves("carol")[1].detail == "otherwise"
    assert world.ends() == [Reason.FINISHED] * 3


def test_click_from_before_the_entry_takes_nobody_down_a_way() -> None:
    world = World("alice")
    world.start(branch(Way("clicked", (HELLO,))), AGAIN)
    world.book.record([event("click", START - DAY)], START - DAY)
    world.engine.tick(START)
    assert [key for key, _, _ in told(world)] == ["branch", "2"]


def test_late_look_at_a_branch_does_not_make_a_stale_touch_fresh() -> None:
    world = World("alice")
    world.start(HELLO, Wait("1", DAY), branch(Way("tier = 'lapsed'", (AGAIN,))))
    world.audience.matches = {"alice"}
    world.engine.tick(START)
    world.engine.tick(START + 9 * DAY)
    assert told(world)[-1] == ("2", Reason.STALE, 9 * DAY)


def test_exit_event_ends_only_when_newer_than_the_entry() -> None:
    world = World("alice")
    world.start(exits=frozenset({"login"}))
    world.engine.tick(START)
    world.book.record([event("login", START - HOUR)], START + HOUR)
    assert world.ends() == [None]
    world.book.record([event("login", START + HOUR)], START + HOUR)
    assert world.ends() == [Reason.EVENT]


def test_event_lets_in_whoever_did_it_often_enough() -> None:
    world = World("alice", "bob")
    world.start(trigger=Trigger("view", 2, DAY), reenter=DAY)
    for hours, person in ((1, "alice"), (2, "bob"), (3, "alice")):
        at = START + hours * HOUR
        world.book.record([event("view", at, person)], at)
    assert world.engine.tick(START + 4 * HOUR).entered == 1
    assert world.engine.tick(START + 5 * HOUR).entered == 0
    assert [move.before.entered_at - START for move in world.moves()] == [3 * HOUR]


def test_same_event_never_lets_in_twice_but_a_new_one_does() -> None:
    world = World("alice")
    world.start(HELLO, trigger=Trigger("cart_abandoned", 1, 30 * DAY), reenter=2 * DAY)
    world.book.record([event("cart_abandoned", START + HOUR)], START + HOUR)
    entered = [world.engine.tick(START + (1 + day) * DAY).entered for day in range(3)]
    at = START + 4 * DAY
    world.book.record([event("cart_abandoned", at)], at)
    assert (entered, world.engine.tick(at).entered) == ([1, 0, 0], 1)


def test_event_before_the_journey_began_lets_nobody_in() -> None:
    world = World("alice")
    world.book.record([event("cart_abandoned", START - HOUR)], START - HOUR)
    world.start(trigger=Trigger("cart_abandoned"))
    assert world.engine.tick(START + HOUR).entered == 0


def test_buyer_is_not_reminded_of_the_basket_just_bought() -> None:
    world = World("alice")
    world.start(trigger=Trigger("cart_abandoned"))
    world.book.record([event("cart_abandoned", START + HOUR)], START + HOUR)
    world.audience.orders["alice"] = START + 2 * HOUR
    assert world.engine.tick(START + 3 * HOUR).entered == 0


def test_pilot_takes_in_more_when_widened_and_puts_nobody_out() -> None:
    people = [f"person-{n}" for n in range(200)]
    world = World(*people)
    world.start(pilot=0.1)
    world.engine.tick(START)
    first = {course.enrolment.person for course in world.book.courses()}
    world.start(number=2, pilot=0.5)
    world.engine.tick(START + DAY)
    both = {course.enrolment.person for course in world.book.courses()}
    assert (5 < len(first) < 35, 70 < len(both) < 130, first < both) == (True, True, True)


@pytest.mark.parametrize(
    ("backfill", "entered"),
    [(timedelta(0), (50, 0)), (None, (0, 0)), (10 * DAY, (0, 50))],
)
def test_backfill_is_at_once_never_or_spread(
    backfill: timedelta | None, entered: tuple[int, int]
) -> None:
    people = [f"person-{n}" for n in range(50)]
    world = World(*people)
    world.audience.was_matching = True
    world.start(backfill=backfill)
    at_once = world.engine.tick(START).entered
    halfway = world.engine.tick(START + 5 * DAY).entered
    later = world.engine.tick(START + 10 * DAY).entered
    assert (at_once, halfway + later) == entered
    assert backfill != 10 * DAY or 10 < halfway < 40


def test_variant_is_drawn_once_and_evenly() -> None:
    people = [f"person-{n}" for n in range(300)]
    world = World(*people)
    world.start(replace(HELLO, variants=(Variant("a"), Variant("b"))), Wait("1", DAY))
    world.engine.tick(START)
    drawn = Counter(move.variant for move in world.book.moves)
    assert drawn.keys() == {"a", "b"}
    assert 110 < drawn["a"] < 190


def test_variant_stays_whoever_enters_again_however_the_list_is_changed() -> None:
    world = World(*(f"person-{n}" for n in range(60)))
    steps = [
        replace(HELLO, variants=tuple(Variant(name, weight) for name, weight in listed.items()))
        for listed in ({"a": 1, "b": 1}, {"c": 8, "b": 1, "a": 1}, {"c": 1, "b": 1})
    ]
    rounds: list[dict[str, str]] = []
    for number, step in enumerate(steps):
        world.start(step, number=number + 1, reenter=DAY)
        world.engine.tick(START + number * 2 * DAY)
        made = world.book.moves[number * 60 :]
        rounds.append({move.before.person: move.variant for move in made})
    assert rounds[1] == rounds[0]
    assert {new for who, new in rounds[2].items() if rounds[0][who] == "b"} == {"b"}
    assert {new for who, new in rounds[2].items() if rounds[0][who] == "a"} == {"b", "c"}


def test_budget_is_never_overdrawn_within_a_batch_nor_after_it() -> None:
    people = [f"person-{n}" for n in range(20)]
    world = World(*people, rules=HouseRules(budgets=(Budget("lapsed", None, 5 * 1000),)))
    world.start(HELLO)
    world.engine.tick(START, batch=3)
    answers = Counter((m.decision.answer, m.decision.reason) for m in world.book.moves)
    assert answers == {(Answer.SEND, None): 5, (Answer.HOLD, Reason.BUDGET): 15}


def test_touch_is_weighed_against_what_it_is_expected_to_earn() -> None:
    world = World("alice", "bob", rules=HouseRules(worth=(Worth("tier = 'gone'", 500),)))
    world.audience.matches = {"alice"}
    world.start(HELLO)
    world.engine.tick(START)
    assert told(world)[0][1] is Reason.NOT_WORTH_IT
    assert told(world, "bob")[0][1] is None


def test_person_below_zero_is_excluded_by_the_house() -> None:
    world = World("alice", "bob", rules=HouseRules(excluded_when="lifetime_value < 0"))
    world.audience.matches = {"alice"}
    world.start(HELLO)
    world.engine.tick(START)
    assert [m.detail for m in world.moves()] == ["negative_value"]
    assert told(world, "bob")[0][1] is None


def test_paused_journey_is_silent_and_a_year_later_nothing_bursts() -> None:
    people = [f"person-{n}" for n in range(30)]
    world = World(*people)
    world.start()
    world.engine.tick(START)
    world.book.pause("lapsed", START + DAY)
    assert world.engine.tick(START + 6 * DAY).decisions == {}
    later = START + 365 * DAY
    assert world.book.resume("lapsed", later, over_seconds=3600) == 30
    world.engine.tick(later + HOUR)
    late = [m for m in world.book.moves if m.at > START]
    assert {m.decision.reason for m in late} == {Reason.STALE}


def test_what_is_due_when_a_journey_resumes_is_spread() -> None:
    people = [f"person-{n}" for n in range(30)]
    world = World(*people)
    world.start()
    world.engine.tick(START)
    world.book.pause("lapsed", START + DAY)
    at = START + 6 * DAY
    world.book.resume("lapsed", at, over_seconds=3600)
    due = sorted(one.due_at for one in world.book.open_enrolments())
    assert (due[0], len(set(due))) == (at, 30)
    assert at + 50 * MINUTE < due[-1] < at + HOUR
    assert sum(world.engine.tick(at + 30 * MINUTE).decisions.values()) == 16


def test_message_that_was_measured_to_earn_too_little_is_stopped_but_for_who_is_kept_on() -> None:
    people = [f"p{number}" for number in range(60)]
    worth = MeasuredWorth(200, -100, COST[Channel("email")] - 1, 900, 0.4, kept_on=0.2)
    world = World(*people, rules=HouseRules(measured={("lapsed", ""): worth}))
    world.start()
    world.engine.tick(START)
    kept_on = {who for who in people if draw(who, salt="lapsed/kept on") < 0.2}
    assert 0 < len(kept_on) < len(people)
    for move in world.book.moves:
        is_sent = move.decision.answer is Answer.SEND
        assert is_sent == (move.before.person in kept_on)
        assert move.decision.reason is (None if is_sent else Reason.NOT_WORTH_IT)
        assert move.detail.startswith("kept on, " if is_sent else "measured: ")
        assert "earned 0.0002 (-0.0001 to 0.000999) of margin and costs 0.001" in move.detail


@pytest.mark.parametrize(
    ("measured", "worth"), [("lapsed", COST[Channel("email")]), ("other", -1_000)]
)
def test_message_is_sent_where_it_may_earn_its_cost_or_nothing_was_measured(
    measured: str, worth: int
) -> None:
    known = MeasuredWorth(-5_000, -9_000, worth, 900, 0.4, kept_on=0.2)
    world = World("alice", rules=HouseRules(measured={(measured, ""): known}))
    world.start()
    world.engine.tick(START)
    assert [(answer, move) for _, answer, move, _ in world.told()] == [(Answer.SEND, None)]
    assert world.moves()[0].detail == ""


def test_offer_is_taken_off_what_was_measured_but_once() -> None:
    # Of 100 given, 40 are in the margin of net revenue already: 60 are left to earn.
    assert MeasuredWorth(0, 0, 1_000, 9, 0.4, 0.1).expect(100) == 1_040
