"""Every promise of ``rekindle.journeys.interfaces.Book``, as one suite for all books.

A test module subclasses ``BookContract`` and overrides ``make_book``; pytest then
runs the whole suite over that book. A promise that is not here is not a promise.
"""

# ruff: noqa: D102 - a test's name says the behaviour
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Protocol

import pytest

from rekindle.consent import ConsentRecord, Exclusion, Preferences, Rule
from rekindle.journeys.interfaces import Book
from rekindle.journeys.model import (
    Batch,
    Budget,
    Decision,
    Dossier,
    Enrolment,
    Goal,
    Journey,
    JourneyVersion,
    Move,
    Person,
    Send,
    Sent,
    Signal,
    Terms,
    Trigger,
    Wait,
)
from rekindle.vocabulary import Answer, Arm, Channel, Purpose, Reason, SignalKind

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WINDOW = timedelta(days=7)
LAST_ORDER = START - 100 * DAY
TERMS = Terms(soft_opt_in=True, longest_window=WINDOW)

_TEXT = """\
journey: {name}
purpose: {purpose}
enter:
  audience: tier = 'lapsed'
goal: {{on: order, within: 30 days}}
exit: [{exits}]
reenter: after 180 days
holdout: 0.2
stale_after: 3 days
steps:
  - send: {{channel: email, template: check-in}}
  - wait: 5 days
  - send: {{channel: email, template: new-arrivals}}
"""


Deliver = Callable[[datetime], None]
"""Lets every message that waits leave at an instant."""


class MakeBook(Protocol):
    """Makes an empty book."""

    def __call__(self, terms: Terms) -> Book:
        """Return a book without people, on these terms."""


def build_version(
    name: str = "lapsed",
    version: int = 1,
    *,
    purpose: Purpose = Purpose.MARKETING,
    exits: frozenset[str] = frozenset({"order"}),
) -> JourneyVersion:
    """Return a version of a journey with two e-mails five days apart.

    Its ``text`` is a journey file that reads as exactly this journey.
    """
    text = _TEXT.format(name=name, purpose=purpose.value, exits=", ".join(sorted(exits)))
    journey = Journey(
        name=name,
        audience="tier = 'lapsed'",
        goal=Goal("order", timedelta(days=30)),
        steps=(
            Send("check-in", Channel.EMAIL, "check-in"),
            Wait("wait", timedelta(days=5)),
            Send("new-arrivals", Channel.EMAIL, "new-arrivals"),
        ),
        purpose=purpose,
        reenter=timedelta(days=180),
        exits=exits,
        holdout=0.2,
        text=text,
    )
    return JourneyVersion(journey, version, 0.2, f"{name}-salt", START)


def build_enrolment(person: str = "alice", journey: str = "lapsed") -> Enrolment:
    """Return a first enrolment at ``START``, waiting at the first e-mail."""
    return Enrolment(
        person=person,
        journey=journey,
        version=1,
        rotation=0,
        arm=Arm.TREATMENT,
        entered_at=START,
        last_order_at=LAST_ORDER,
        position=0,
        ready_at=START,
        due_at=START,
    )


def build_move(
    enrolment: Enrolment, at: datetime = START, decision: Decision | None = None
) -> Move:
    """Return a move that sends the first e-mail and waits for the second."""
    later = replace(enrolment, position=2, ready_at=at + 5 * DAY, due_at=at + 5 * DAY)
    return Move(
        before=enrolment,
        step=Send("check-in", Channel.EMAIL, "check-in"),
        decision=decision or Decision(Answer.SEND),
        at=at,
        cost_micros=1000,
        next=later,
    )


def _hold(enrolment: Enrolment, until: datetime, at: datetime = START) -> Move:
    decision = Decision(Answer.HOLD, Reason.CAP, until)
    move = build_move(enrolment, at, decision)
    return replace(move, cost_micros=0, next=replace(enrolment, due_at=until))


def _end(enrolment: Enrolment, at: datetime = START) -> Move:
    return replace(build_move(enrolment, at), next=enrolment, ended=Reason.FINISHED)


def _order(person: str, at: datetime, key: str = "order-1") -> Signal:
    return Signal(person, SignalKind.ORDER, at, key)


def _send_all(batch: Batch) -> list[Move]:
    return [build_move(dossier.enrolment) for dossier in batch.dossiers]


def _triggered_version(trigger: Trigger) -> JourneyVersion:
    version = build_version("triggered")
    text = version.journey.text.replace(
        "audience: tier = 'lapsed'",
        f"on: {trigger.event}\n  times: {trigger.times}\n  within: 1 day",
    )
    journey = replace(version.journey, trigger=trigger, audience="", text=text)
    return replace(version, journey=journey)


def _people(dossiers: Sequence[Dossier]) -> list[str]:
    return [dossier.enrolment.person for dossier in dossiers]


def _only(book: Book, at: datetime = START, person: str = "alice") -> Dossier:
    (found,) = (d for d in book.due(at, 100) if d.enrolment.person == person)
    return found


class BookContract:
    """The suite. Alice, Bob and Charlie can be reached by e-mail; nobody consented."""

    @pytest.fixture
    def make_book(self) -> MakeBook:
        """Return a maker of empty books; every subclass overrides it."""
        raise NotImplementedError

    @pytest.fixture
    def deliver(self) -> Deliver:
        """Return what lets the messages that wait leave; here they have left already."""
        return lambda at: None

    @pytest.fixture
    def book(self, make_book: MakeBook) -> Book:
        """Return a book that knows three buyers and runs the journey ``lapsed``."""
        book = make_book(TERMS)
        book.save_people(
            Person(name, f"{name}@example.com", "GB") for name in ("alice", "bob", "charlie")
        )
        book.start(build_version())
        return book

    # People, consent and suppression

    def test_person_without_address_is_unreachable(self, book: Book) -> None:
        book.save_people([Person("dora")])
        book.enrol([build_enrolment("dora"), build_enrolment("alice")])
        assert not _only(book, person="dora").is_reachable
        assert _only(book, person="alice").is_reachable

    def test_contact_card_saved_again_is_replaced(self, book: Book) -> None:
        book.enrol([build_enrolment()])
        book.save_people([Person("alice", None, "GB")])
        assert not _only(book).is_reachable
        book.save_people([Person("alice", "alice@example.org", "GB")])
        assert _only(book).is_reachable

    def test_buyer_is_permitted_by_soft_opt_in_only_where_claimed(
        self, make_book: MakeBook
    ) -> None:
        book = make_book(replace(TERMS, soft_opt_in=False))
        book.save_people([Person("alice", "alice@example.com", "GB")])
        book.start(build_version())
        book.enrol([build_enrolment()])
        assert _only(book).permission.rule is Rule.NO_RECORD

    def test_soft_opt_in_needs_a_purchase(self, book: Book) -> None:
        book.enrol([build_enrolment(), replace(build_enrolment("bob"), last_order_at=None)])
        assert _only(book).permission.rule is Rule.SOFT_OPT_IN
        assert _only(book, person="bob").permission.rule is Rule.NO_RECORD

    def test_permission_is_judged_as_of_the_asking(self, book: Book) -> None:
        book.enrol([build_enrolment()])
        book.save_consent(
            [
                ConsentRecord("alice", Channel.EMAIL, False, START + 2 * DAY, "form"),
                ConsentRecord("alice", Channel.EMAIL, True, START + DAY, "form"),
            ]
        )
        rules = [_only(book, START + days * DAY).permission.rule for days in range(3)]
        assert rules == [Rule.SOFT_OPT_IN, Rule.EXPRESS, Rule.WITHDRAWN]

    def test_consent_saved_again_changes_nothing(self, book: Book) -> None:
        book.enrol([build_enrolment()])
        granted = ConsentRecord("alice", Channel.EMAIL, True, START - DAY, "form", "Yes, please")
        book.save_consent([granted, granted])
        book.save_consent([granted])
        assert _only(book).permission.rule is Rule.EXPRESS

    def test_permission_follows_the_country(self, book: Book) -> None:
        book.save_people([Person("alice", "alice@example.com", "CA")])
        book.enrol([build_enrolment()])
        assert _only(book).permission.rule is Rule.IMPLIED_BY_PURCHASE
        assert _only(book, START + 800 * DAY).permission.rule is Rule.EXPIRED

    def test_transactional_journey_needs_no_permission(self, book: Book) -> None:
        book.start(build_version("receipt", purpose=Purpose.TRANSACTIONAL))
        book.save_consent([ConsentRecord("alice", Channel.EMAIL, False, START - DAY, "form")])
        book.enrol([build_enrolment(journey="receipt")])
        assert _only(book).permission.rule is Rule.TRANSACTIONAL

    def test_suppression_stays_however_often_it_is_said(self, book: Book) -> None:
        book.enrol([build_enrolment("alice"), build_enrolment("bob")])
        for _ in range(2):
            book.suppress("alice", Channel.EMAIL, reason="opt_out", at=START)
        assert _only(book).is_suppressed
        assert not _only(book, person="bob").is_suppressed

    def test_suppression_follows_the_address(self, book: Book) -> None:
        book.save_people([Person("alice-again", "Alice@Example.com", "GB")])
        book.enrol([build_enrolment("alice-again")])
        book.suppress("alice", Channel.EMAIL, reason="opt_out", at=START)
        assert _only(book, person="alice-again").is_suppressed

    def test_suppression_survives_a_new_address(self, book: Book) -> None:
        book.enrol([build_enrolment()])
        book.suppress("alice", Channel.EMAIL, reason="opt_out", at=START)
        book.save_people([Person("alice", "alice@example.org", "GB")])
        assert _only(book).is_suppressed

    # Versions

    def test_new_people_enter_the_newest_version(self, book: Book) -> None:
        newer, other = build_version(version=2), build_version("other")
        book.start(newer)
        book.start(other)
        assert {(v.journey.name, v.version) for v in book.running()} == {
            ("lapsed", 2),
            ("other", 1),
        }

    def test_version_is_read_back_as_it_was_started(self, book: Book) -> None:
        book.start(build_version(version=2))
        book.start(build_version(version=2))
        assert list(book.versions("lapsed")) == [build_version(), build_version(version=2)]
        assert list(book.versions("unknown")) == []

    # Enrolment

    def test_enrolment_is_read_back_as_it_was_written(self, book: Book) -> None:
        enrolments = [
            build_enrolment("alice"),
            replace(build_enrolment("bob"), last_order_at=None, arm=Arm.HOLDOUT),
        ]
        assert book.enrol(enrolments) == 2
        assert sorted(book.open_enrolments(), key=lambda e: e.person) == enrolments

    def test_enrolment_that_exists_is_left_alone(self, book: Book) -> None:
        book.enrol([build_enrolment()])
        again = replace(build_enrolment(), arm=Arm.HOLDOUT, due_at=START + DAY)
        assert book.enrol([again, build_enrolment("bob")]) == 1
        assert _only(book).enrolment == build_enrolment()

    def test_enrolment_that_ended_is_not_opened_again(self, book: Book) -> None:
        book.enrol([build_enrolment()])
        book.save([_end(build_enrolment())])
        assert book.enrol([build_enrolment()]) == 0
        assert list(book.open_enrolments()) == []

    def test_past_is_the_latest_enrolment_of_those_who_have_one(self, book: Book) -> None:
        assert dict(book.past("lapsed", ["alice", "bob"])) == {}
        book.enrol([replace(build_enrolment(), arm=Arm.HOLDOUT)])
        book.save([_end(replace(build_enrolment(), arm=Arm.HOLDOUT))])
        first = book.past("lapsed", ["alice", "bob"])
        later = START + 200 * DAY
        book.enrol([replace(build_enrolment(), arm=Arm.HOLDOUT, rotation=1, entered_at=later)])
        second = book.past("lapsed", ["alice", "bob"])["alice"]
        assert set(first) == {"alice"}
        assert (first["alice"].rotation, first["alice"].is_open) == (0, False)
        assert (second.rotation, second.is_open) == (1, True)
        assert (second.entered_at, second.arm) == (later, Arm.HOLDOUT)

    def test_past_keeps_journeys_apart(self, book: Book) -> None:
        book.start(build_version("other"))
        book.enrol([build_enrolment()])
        assert dict(book.past("other", ["alice"])) == {}

    # The queue

    def test_due_is_oldest_first_and_not_before_its_time(self, book: Book) -> None:
        waits = {"alice": 3 * HOUR, "bob": HOUR, "charlie": 4 * HOUR}
        book.enrol([replace(build_enrolment(p), due_at=START + w) for p, w in waits.items()])
        assert _people(book.due(START, 100)) == []
        assert _people(book.due(START + 3 * HOUR, 100)) == ["bob", "alice"]
        assert _people(book.due(START + DAY, 1)) == ["bob"]

    def test_reading_the_queue_changes_nothing(self, book: Book) -> None:
        book.enrol([build_enrolment("alice"), build_enrolment("bob")])
        assert list(book.due(START, 100)) == list(book.due(START, 100))

    # Moves

    def test_send_advances_the_enrolment(self, book: Book) -> None:
        book.enrol([build_enrolment()])
        move = build_move(build_enrolment())
        assert book.save([move]) == 1
        assert list(book.due(START + 4 * DAY, 100)) == []
        assert _only(book, START + 5 * DAY).enrolment == move.next

    def test_hold_keeps_the_step_and_looks_again_later(self, book: Book) -> None:
        book.enrol([build_enrolment()])
        assert book.save([_hold(build_enrolment(), START + 3 * HOUR)]) == 1
        assert list(book.due(START + 2 * HOUR, 100)) == []
        found = _only(book, START + 3 * HOUR).enrolment
        assert (found.position, found.ready_at) == (0, START)

    def test_end_takes_the_enrolment_out_of_the_queue(self, book: Book) -> None:
        book.enrol([build_enrolment()])
        assert book.save([_end(build_enrolment())]) == 1
        assert list(book.due(START + 99 * DAY, 100)) == []
        assert list(book.open_enrolments()) == []

    def test_move_made_twice_applies_once(self, book: Book) -> None:
        book.enrol([build_enrolment()])
        move = build_move(build_enrolment())
        assert book.save([move]) == 1
        assert book.save([move]) == 0
        assert len(_only(book, START + 5 * DAY).sent) == 1

    def test_move_repeated_within_one_call_applies_once(self, book: Book) -> None:
        book.enrol([build_enrolment()])
        move = build_move(build_enrolment())
        assert book.save([move, move]) == 1
        assert len(_only(book, START + 5 * DAY).sent) == 1

    def test_move_from_an_earlier_look_is_dropped_whole(self, book: Book) -> None:
        book.enrol([build_enrolment()])
        held = _hold(build_enrolment(), START + HOUR)
        book.save([held])
        assert book.save([build_move(build_enrolment())]) == 0
        found = _only(book, START + HOUR)
        assert (found.enrolment, found.sent) == (held.next, ())

    def test_dropped_move_leaves_the_others_be(self, book: Book) -> None:
        book.enrol([build_enrolment("alice"), build_enrolment("bob")])
        book.record([_order("alice", START)], START)
        moves = [build_move(build_enrolment("alice")), build_move(build_enrolment("bob"))]
        assert book.save(moves) == 1
        assert _people(book.due(START + 5 * DAY, 100)) == ["bob"]

    def test_move_after_an_exit_is_dropped(self, book: Book) -> None:
        book.enrol([build_enrolment()])
        book.record([_order("alice", START)], START)
        assert book.save([build_move(build_enrolment())]) == 0
        assert list(book.open_enrolments()) == []

    # What caps count

    def test_sends_of_all_journeys_count_inside_the_window(
        self, book: Book, deliver: Deliver
    ) -> None:
        book.start(build_version("other"))
        book.enrol([build_enrolment(), build_enrolment(journey="other")])
        book.save([build_move(build_enrolment(journey="other"))])
        deliver(START)
        assert _only(book).sent == (Sent(Channel.EMAIL, START),)
        just_inside = START + WINDOW - timedelta(microseconds=1)
        inside, outside = (
            next(d for d in book.due(at, 100) if d.enrolment.journey == "lapsed")
            for at in (just_inside, START + WINDOW)
        )
        assert inside.sent == (Sent(Channel.EMAIL, START),)
        assert outside.sent == ()

    def test_each_send_leaves_the_window_by_itself(self, book: Book, deliver: Deliver) -> None:
        book.enrol([build_enrolment()])
        first = build_move(build_enrolment())
        book.save([first])
        deliver(START)
        book.save([_hold(first.next, START + WINDOW, START + 5 * DAY)])
        book.start(build_version("other"))
        book.enrol([build_enrolment(journey="other")])
        book.save([build_move(build_enrolment(journey="other"), START + HOUR)])
        deliver(START + HOUR)
        (found,) = (d for d in book.due(START + WINDOW, 9) if d.enrolment.journey == "lapsed")
        assert found.sent == (Sent(Channel.EMAIL, START + HOUR),)

    def test_transactional_sends_and_skips_do_not_count(self, book: Book) -> None:
        book.start(build_version("receipt", purpose=Purpose.TRANSACTIONAL))
        book.start(build_version("other"))
        journeys = ("lapsed", "receipt", "other")
        book.enrol([build_enrolment(journey=journey) for journey in journeys])
        skip = Decision(Answer.SKIP, Reason.NO_PERMISSION)
        book.save(
            [
                build_move(build_enrolment(journey="receipt")),
                build_move(build_enrolment(journey="other"), decision=skip),
            ]
        )
        assert _only(book).sent == ()

    def test_ghosts_count_for_the_held_out_alone(self, book: Book) -> None:
        book.start(build_version("other"))
        book.start(build_version("third"))
        held_out = replace(build_enrolment(), arm=Arm.HOLDOUT)
        other = replace(held_out, journey="other")
        book.enrol([held_out, other, build_enrolment(journey="third")])
        book.save([build_move(held_out, decision=Decision(Answer.SKIP, Reason.HELD_OUT))])
        sent = {d.enrolment.journey: d.sent for d in book.due(START, 100)}
        assert sent == {"other": (Sent(Channel.EMAIL, START),), "third": ()}

    # Exits

    def test_order_after_the_last_known_one_ends_the_enrolment(self, book: Book) -> None:
        book.enrol([build_enrolment("alice"), build_enrolment("bob")])
        late = _order("alice", LAST_ORDER + DAY)
        assert book.record([late], START + DAY) == 1
        assert _people(book.due(START, 100)) == ["bob"]
        assert not book.past("lapsed", ["alice"])["alice"].is_open

    @pytest.mark.parametrize("at", [LAST_ORDER, LAST_ORDER - DAY])
    def test_order_known_at_entry_ends_nothing(self, book: Book, at: datetime) -> None:
        book.enrol([build_enrolment()])
        assert book.record([_order("alice", at)], START + DAY) == 0
        assert _only(book).exit is None

    def test_without_a_known_order_the_entry_counts(self, book: Book) -> None:
        book.enrol([replace(build_enrolment(), last_order_at=None)])
        assert book.record([_order("alice", START, "at entry")], START + DAY) == 0
        assert book.record([_order("alice", START + HOUR, "after")], START + DAY) == 1

    def test_order_ends_only_journeys_that_name_it(self, book: Book) -> None:
        book.start(build_version("loyal", exits=frozenset()))
        book.enrol([build_enrolment(), build_enrolment(journey="loyal")])
        assert book.record([_order("alice", START + HOUR)], START + DAY) == 1
        assert [e.journey for e in book.open_enrolments()] == ["loyal"]

    def test_order_written_before_the_enrolment_is_its_exit(self, book: Book) -> None:
        """The audience was read, then the order came, then the enrolment was written."""
        book.record([_order("alice", LAST_ORDER + DAY)], START)
        book.enrol([build_enrolment()])
        assert all(d.exit is Reason.ORDER for d in book.due(START, 100))

    @pytest.mark.parametrize("kind", [SignalKind.OPT_OUT, SignalKind.COMPLAINT, SignalKind.BOUNCE])
    def test_objection_ends_everything_and_suppresses(self, book: Book, kind: SignalKind) -> None:
        book.start(build_version("loyal", exits=frozenset()))
        book.enrol([build_enrolment(), build_enrolment(journey="loyal"), build_enrolment("bob")])
        assert book.record([Signal("alice", kind, START - DAY, "no")], START) == 2
        assert [e.person for e in book.open_enrolments()] == ["bob"]
        book.enrol([replace(build_enrolment(), rotation=1)])
        assert _only(book).is_suppressed

    def test_signal_known_by_its_key_changes_nothing(self, book: Book) -> None:
        opt_out = Signal("alice", SignalKind.OPT_OUT, START, "no")
        book.enrol([build_enrolment()])
        assert book.record([opt_out, opt_out], START) == 1
        book.enrol([replace(build_enrolment(), rotation=1)])
        assert book.record([opt_out], START + DAY) == 0
        assert len(list(book.open_enrolments())) == 1

    def test_reason_of_the_end_is_not_rewritten(self, book: Book) -> None:
        book.enrol([build_enrolment()])
        signals = [_order("alice", START + HOUR, f"order-{n}") for n in range(2)]
        assert [book.record([s], START + DAY) for s in signals] == [1, 0]

    # Nobody is forgotten

    def test_everyone_is_waiting_or_ended(self, book: Book) -> None:
        people = ("alice", "bob", "charlie")
        book.enrol([build_enrolment(person) for person in people])
        book.save([build_move(build_enrolment("alice")), _end(build_enrolment("bob"))])
        waiting = {enrolment.person for enrolment in book.open_enrolments()}
        assert waiting == {"alice", "charlie"}
        assert set(_people(book.due(START + 99 * DAY, 100))) == waiting
        assert set(book.past("lapsed", people)) == set(people)

    def test_queue_is_drained_in_batches_without_loss(self, book: Book) -> None:
        names = [f"person-{number}" for number in range(25)]
        book.save_people(Person(name, f"{name}@example.com") for name in names)
        book.enrol([build_enrolment(name) for name in names])
        seen: list[str] = []
        while batch := book.due(START, 10):
            assert all(a.enrolment.due_at <= b.enrolment.due_at for a, b in pairwise(batch))
            seen += _people(batch)
            book.save([build_move(dossier.enrolment) for dossier in batch])
        assert sorted(seen) == sorted(names)

    # Decided and written in one go

    def test_nothing_due_is_told_from_nothing_applied(self, book: Book) -> None:
        book.enrol([build_enrolment()])
        assert book.take_due(START - HOUR, 10, _send_all) is None
        assert book.take_due(START, 10, _send_all) == 1
        assert book.take_due(START, 10, _send_all) is None

    def test_what_is_decided_is_written(self, book: Book) -> None:
        book.enrol([build_enrolment()])
        book.take_due(START, 10, _send_all)
        found = _only(book, START + 5 * DAY)
        assert (found.enrolment.position, found.enrolment.ready_at) == (2, START + 5 * DAY)
        assert len(found.sent) == 1

    def test_person_is_handed_out_once_in_a_batch_oldest_first(self, book: Book) -> None:
        book.start(build_version("other"))
        older = replace(build_enrolment(journey="other"), due_at=START - HOUR)
        book.enrol([build_enrolment(), older])
        batches: list[list[str]] = []

        def decide(batch: Batch) -> list[Move]:
            batches.append([dossier.enrolment.journey for dossier in batch.dossiers])
            return _send_all(batch)

        while book.take_due(START, 10, decide):
            pass
        assert batches == [["other"], ["lapsed"]]

    def test_second_batch_sees_what_the_first_one_sent(self, book: Book) -> None:
        book.start(build_version("other"))
        book.enrol([build_enrolment(), build_enrolment(journey="other")])
        seen: list[int] = []

        def decide(batch: Batch) -> list[Move]:
            seen.extend(len(dossier.sent) for dossier in batch.dossiers)
            return _send_all(batch)

        while book.take_due(START, 10, decide):
            pass
        assert seen == [0, 1]

    def test_decision_that_fails_writes_nothing(self, book: Book) -> None:
        book.enrol([build_enrolment("alice"), build_enrolment("bob")])

        def decide(batch: Batch) -> list[Move]:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            book.take_due(START, 10, decide)
        assert {dossier.enrolment.person for dossier in book.due(START, 10)} == {"alice", "bob"}

    def test_limit_bounds_a_batch_and_loses_nobody(self, book: Book) -> None:
        people = [f"person-{number}" for number in range(30)]
        book.enrol([build_enrolment(person) for person in people])
        seen: list[str] = []

        def decide(batch: Batch) -> list[Move]:
            assert len(batch.dossiers) <= 7
            seen.extend(_people(batch.dossiers))
            return _send_all(batch)

        while book.take_due(START, 7, decide):
            pass
        assert sorted(seen) == sorted(people)

    def test_step_is_touched_once_whatever_version_it_came_from(self, book: Book) -> None:
        book.start(build_version(version=2))
        book.enrol([build_enrolment()])
        book.save([build_move(build_enrolment())])
        book.transfer("lapsed", 2, {1: {2: 0}}, START)
        again = _only(book, START + 5 * DAY).enrolment
        assert (again.version, again.position) == (2, 0)
        assert book.save([build_move(again, START + 5 * DAY)]) == 1
        assert len(_only(book, START + 10 * DAY).sent) <= 1

    # Budgets

    def test_messages_reserve_what_they_cost(self, make_book: MakeBook) -> None:
        budget = Budget(None, Channel.EMAIL, 5000)
        book = make_book(replace(TERMS, budgets=(budget,)))
        book.start(build_version())
        book.enrol([build_enrolment("alice"), build_enrolment("bob")])
        seen: list[int] = []

        def decide(batch: Batch) -> list[Move]:
            seen.append(batch.reserved[budget.name])
            return [replace(move, budgets=(budget.name,)) for move in _send_all(batch)]

        while book.take_due(START, 1, decide):
            pass
        assert seen == [0, 1000]

    def test_budget_begins_anew_in_the_local_month(self, make_book: MakeBook) -> None:
        budget = Budget("lapsed", None, 5000)
        book = make_book(replace(TERMS, budgets=(budget,), zone="Asia/Tokyo"))
        book.start(build_version())
        at = datetime(2026, 3, 31, 14, 59, tzinfo=UTC)  # a minute before April in Tokyo
        book.enrol([build_enrolment("alice"), build_enrolment("bob")])
        seen: list[int] = []

        def decide(batch: Batch) -> list[Move]:
            seen.append(batch.reserved[budget.name])
            return [
                replace(build_move(dossier.enrolment, at), budgets=(budget.name,))
                for dossier in batch.dossiers
            ]

        book.take_due(at, 1, decide)
        book.take_due(at + timedelta(minutes=1), 1, decide)
        assert seen == [0, 0]

    # What people and the business asked for

    def test_preferences_are_read_back(self, book: Book) -> None:
        wish = Preferences(START + DAY, frozenset({"sale", "news"}), timedelta(days=14))
        book.enrol([build_enrolment("alice"), build_enrolment("bob")])
        book.save_preferences("alice", Preferences(muted_topics=frozenset({"old"})))
        book.save_preferences("alice", wish)
        assert _only(book).preferences == wish
        assert _only(book, person="bob").preferences == Preferences()

    def test_sends_are_listed_as_far_back_as_the_person_asks(
        self, book: Book, deliver: Deliver
    ) -> None:
        book.enrol([build_enrolment()])
        book.save([build_move(build_enrolment())])
        deliver(START)
        assert _only(book, START + 10 * DAY).sent == ()
        book.save_preferences("alice", Preferences(at_most_every=timedelta(days=14)))
        assert _only(book, START + 10 * DAY).sent == (Sent(Channel.EMAIL, START),)

    def test_exclusion_ends_by_itself_or_is_taken_back(self, book: Book) -> None:
        book.enrol([build_enrolment()])
        book.exclude("alice", Exclusion.POOR_FIT, at=START, until=START + DAY)
        found = [_only(book, START + days * DAY).exclusion for days in (0, 1)]
        assert found == [Exclusion.POOR_FIT, None]
        book.exclude("alice", Exclusion.BAD_ACTOR, at=START, until=None)
        assert _only(book, START + 99 * DAY).exclusion is Exclusion.BAD_ACTOR
        book.include("alice", Exclusion.BAD_ACTOR)
        assert _only(book, START + 99 * DAY).exclusion is None

    def test_bad_ending_excludes_until_it_has_cooled_off(self, make_book: MakeBook) -> None:
        bad = frozenset({"dispute"})
        book = make_book(replace(TERMS, cooling_off=10 * DAY, bad_endings=bad))
        book.start(build_version())
        book.enrol([build_enrolment()])
        book.record([Signal("alice", SignalKind.EVENT, START, "d", "dispute")], START)
        found = [_only(book, START + days * DAY).exclusion for days in (9, 10)]
        assert found == [Exclusion.COOLING_OFF, None]

    def test_erased_person_is_forgotten_and_never_comes_back(self, book: Book) -> None:
        book.enrol([build_enrolment()])
        book.suppress("alice", Channel.EMAIL, reason="opt_out", at=START)
        assert book.erase("alice", START) == 1
        book.save_people([Person("alice", "alice@example.com", "GB")])
        assert book.enrol([replace(build_enrolment(), rotation=1)]) == 0
        book.save_people([Person("alice-again", "alice@example.com", "GB")])
        book.enrol([build_enrolment("alice-again")])
        assert _only(book, person="alice-again").is_suppressed

    # Other events

    def test_event_that_a_journey_names_ends_it(self, book: Book) -> None:
        book.start(build_version("trial", exits=frozenset({"login", "upgraded"})))
        book.enrol([build_enrolment("alice", "trial"), build_enrolment("bob", "trial")])
        signals = [
            Signal("alice", SignalKind.LOGIN, START + HOUR, "1"),
            Signal("bob", SignalKind.EVENT, START + HOUR, "2", "upgraded"),
            Signal("bob", SignalKind.EVENT, START + HOUR, "3", "downgraded"),
        ]
        assert book.record(signals, START + DAY) == 2

    def test_event_of_before_the_entry_ends_nothing(self, book: Book) -> None:
        book.start(build_version("trial", exits=frozenset({"login"})))
        book.enrol([build_enrolment(journey="trial")])
        assert book.record([Signal("alice", SignalKind.LOGIN, START, "1")], START) == 0
        assert _only(book).exit is None

    def test_event_recorded_before_the_enrolment_is_its_exit(self, book: Book) -> None:
        book.start(build_version("trial", exits=frozenset({"login"})))
        book.record([Signal("alice", SignalKind.LOGIN, START + HOUR, "1")], START + HOUR)
        book.enrol([build_enrolment(journey="trial")])
        assert _only(book).exit is Reason.EVENT

    def test_signal_from_the_future_changes_nothing(self, book: Book) -> None:
        book.enrol([build_enrolment()])
        assert book.record([_order("alice", START + DAY)], START) == 0
        assert book.record([_order("alice", START + DAY)], START + DAY) == 1

    def test_awaited_event_makes_an_enrolment_due(self, book: Book) -> None:
        later = START + 9 * DAY
        waiting = replace(build_enrolment(), due_at=later, wakes_on="|click|visit|")
        book.enrol([waiting, replace(build_enrolment("bob"), due_at=later)])
        kinds = (("alice", SignalKind.VIEW), ("alice", SignalKind.CLICK), ("bob", SignalKind.CLICK))
        signals = [Signal(who, kind, START, f"{who}-{kind}") for who, kind in kinds]
        book.record(signals[:1], START)
        assert list(book.due(START + HOUR, 10)) == []
        book.record(signals[1:], START + HOUR)
        assert _only(book, START + HOUR).enrolment == replace(waiting, due_at=START + HOUR)

    def test_triggered_are_those_who_did_it_often_enough_lately(self, book: Book) -> None:
        trigger = Trigger("viewed_twice", times=2, within=DAY)
        book.start(_triggered_version(trigger))
        book.record(
            [
                Signal(who, SignalKind.EVENT, START + hours * HOUR, f"{who}{hours}", "viewed_twice")
                for who, hours in (("alice", 1), ("alice", 2), ("bob", 2), ("bob", 30))
            ],
            START + 2 * DAY,
        )
        found = book.triggered(trigger, since=START - DAY, at=START + 3 * HOUR)
        assert dict(found) == {"alice": START + 2 * HOUR}
        assert dict(book.triggered(trigger, since=START + HOUR, at=START + 3 * HOUR)) == {}

    # Steering

    def test_paused_journey_stands_still_and_others_go_on(self, book: Book) -> None:
        book.start(build_version("other"))
        book.enrol([build_enrolment(), build_enrolment("bob", "other")])
        book.pause("lapsed", START)
        assert [version.journey.name for version in book.running()] == ["other"]
        assert _people(book.due(START, 10)) == ["bob"]
        assert book.take_due(START, 10, _send_all) == 1
        assert book.take_due(START, 10, _send_all) is None

    def test_signals_go_on_ending_enrolments_of_a_paused_journey(self, book: Book) -> None:
        book.enrol([build_enrolment()])
        book.pause("lapsed", START)
        assert book.record([_order("alice", START)], START) == 1

    def test_resumed_journey_is_spread_and_never_beyond_staleness(self, book: Book) -> None:
        names = ("alice", "bob", "charlie", "dora")
        people = [
            replace(build_enrolment(name), due_at=START + number * HOUR)
            for number, name in enumerate(names)
        ]
        book.enrol(people)
        book.pause("lapsed", START)
        at = START + 4 * HOUR
        assert book.resume("lapsed", at, over_seconds=4 * 3600) == 4
        dues = {one.person: one.due_at for one in book.open_enrolments()}
        assert dues == {name: at + n * HOUR for n, name in enumerate(names)}
        book.pause("lapsed", at)
        book.resume("lapsed", at + 3 * HOUR, over_seconds=40 * 24 * 3600)
        assert max(one.due_at for one in book.open_enrolments()) <= max(
            START + 3 * DAY + timedelta(microseconds=1), at + 3 * HOUR
        )

    def test_stopped_journey_ends_for_everyone_in_it(self, book: Book) -> None:
        book.start(build_version("other"))
        book.enrol([build_enrolment(), build_enrolment("bob"), build_enrolment("bob", "other")])
        assert book.stop("lapsed", START) == 2
        assert [one.journey for one in book.open_enrolments()] == ["other"]
        assert [version.journey.name for version in book.running()] == ["other"]

    def test_journey_started_again_goes_on(self, book: Book) -> None:
        book.pause("lapsed", START)
        book.start(build_version(version=2))
        assert [version.version for version in book.running()] == [2]

    def test_transfer_moves_only_who_stands_at_a_named_place(self, book: Book) -> None:
        book.start(build_version(version=2))
        book.enrol([build_enrolment("alice"), replace(build_enrolment("bob"), position=2)])
        assert book.transfer("lapsed", 2, {1: {0: 2}}, START) == 1
        found = {one.person: (one.version, one.position) for one in book.open_enrolments()}
        assert found == {"alice": (2, 2), "bob": (1, 2)}
