"""What a book promises of whole batches, budgets, wishes, events and journeys at once.

``BookContract`` holds a book to these as well.
"""

# ruff: noqa: D102 - a test's name says the behaviour
from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rekindle.consent import Exclusion, Preferences
from rekindle.gate import Budget, Sent
from rekindle.journeys.model import Batch, Move, Person, Signal, Trigger
from rekindle.testing.book_samples import (
    DAY,
    HOUR,
    START,
    TERMS,
    Deliver,
    MakeBook,
    OpenedBook,
    build_enrolment,
    build_hold,
    build_move,
    build_order,
    build_triggered_version,
    build_version,
    only_due,
    people_of,
    send_all,
)
from rekindle.vocabulary import Channel, Reason, SignalKind


class SteeringContract:
    """The second half of the suite; ``book``, ``make_book`` and ``deliver`` are the first's."""

    # Decided and written in one go

    def test_nothing_due_is_told_from_nothing_applied(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment()])
        assert book.take_due(START - HOUR, 10, send_all) is None
        assert book.take_due(START, 10, send_all) == 1
        assert book.take_due(START, 10, send_all) is None

    def test_what_is_decided_is_written(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment()])
        book.take_due(START, 10, send_all)
        found = only_due(book, START + 5 * DAY)
        assert (found.enrolment.position, found.enrolment.ready_at) == (2, START + 5 * DAY)
        assert len(found.sent) == 1

    def test_person_is_handed_out_once_in_a_batch_oldest_first(self, book: OpenedBook) -> None:
        book.start(build_version("other"))
        older = replace(build_enrolment(journey="other"), due_at=START - HOUR)
        book.enrol([build_enrolment(), older])
        batches: list[list[str]] = []

        def decide(batch: Batch) -> list[Move]:
            batches.append([dossier.enrolment.journey for dossier in batch.dossiers])
            return send_all(batch)

        while book.take_due(START, 10, decide):
            pass
        assert batches == [["other"], ["lapsed"]]

    def test_second_batch_sees_what_the_first_one_sent(self, book: OpenedBook) -> None:
        book.start(build_version("other"))
        book.enrol([build_enrolment(), build_enrolment(journey="other")])
        seen: list[int] = []

        def decide(batch: Batch) -> list[Move]:
            seen.extend(len(dossier.sent) for dossier in batch.dossiers)
            return send_all(batch)

        while book.take_due(START, 10, decide):
            pass
        assert seen == [0, 1]

    def test_decision_that_fails_writes_nothing(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment("alice"), build_enrolment("bob")])

        def decide(batch: Batch) -> list[Move]:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            book.take_due(START, 10, decide)
        assert {dossier.enrolment.person for dossier in book.due(START, 10)} == {"alice", "bob"}

    def test_decision_about_an_earlier_look_is_dropped_whole(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment()])
        book.save([build_hold(build_enrolment(), START + HOUR)])
        late = [build_move(build_enrolment())]
        assert book.take_due(START + HOUR, 10, lambda batch: late) == 0
        assert only_due(book, START + HOUR).sent == ()

    def test_limit_bounds_a_batch_and_loses_nobody(self, book: OpenedBook) -> None:
        people = [f"person-{number}" for number in range(30)]
        book.enrol([build_enrolment(person) for person in people])
        seen: list[str] = []

        def decide(batch: Batch) -> list[Move]:
            assert len(batch.dossiers) <= 7
            seen.extend(people_of(batch.dossiers))
            return send_all(batch)

        while book.take_due(START, 7, decide):
            pass
        assert sorted(seen) == sorted(people)

    def test_step_is_touched_once_whatever_version_it_came_from(self, book: OpenedBook) -> None:
        book.start(build_version(version=2))
        book.enrol([build_enrolment()])
        book.save([build_move(build_enrolment())])
        book.transfer("lapsed", 2, {1: {2: 0}}, START)
        again = only_due(book, START + 5 * DAY).enrolment
        assert (again.version, again.position) == (2, 0)
        assert book.save([build_move(again, START + 5 * DAY)]) == 1
        assert len(only_due(book, START + 10 * DAY).sent) <= 1

    # Budgets

    def test_messages_reserve_what_they_cost(self, make_book: MakeBook) -> None:
        budget = Budget(None, Channel("email"), 5000)
        book = make_book(replace(TERMS, budgets=(budget,)))
        book.start(build_version())
        book.enrol([build_enrolment("alice"), build_enrolment("bob")])
        seen: list[int] = []

        def decide(batch: Batch) -> list[Move]:
            seen.append(batch.reserved[budget.name])
            return [replace(move, budgets=(budget.name,)) for move in send_all(batch)]

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

    def test_preferences_are_read_back(self, book: OpenedBook) -> None:
        wish = Preferences(START + DAY, frozenset({"sale", "news"}), timedelta(days=14))
        book.enrol([build_enrolment("alice"), build_enrolment("bob")])
        book.save_preferences("alice", Preferences(muted_topics=frozenset({"old"})))
        book.save_preferences("alice", wish)
        assert only_due(book).preferences == wish
        assert only_due(book, person="bob").preferences == Preferences()

    def test_sends_are_listed_as_far_back_as_the_person_asks(
        self, book: OpenedBook, deliver: Deliver
    ) -> None:
        book.enrol([build_enrolment()])
        book.save([build_move(build_enrolment())])
        deliver(START)
        assert only_due(book, START + 10 * DAY).sent == ()
        book.save_preferences("alice", Preferences(at_most_every=timedelta(days=14)))
        assert only_due(book, START + 10 * DAY).sent == (Sent(Channel("email"), START),)

    def test_exclusion_ends_by_itself_or_is_taken_back(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment()])
        book.exclude("alice", Exclusion.POOR_FIT, at=START, until=START + DAY)
        found = [only_due(book, START + days * DAY).exclusion for days in (0, 1)]
        assert found == [Exclusion.POOR_FIT, None]
        book.exclude("alice", Exclusion.BAD_ACTOR, at=START, until=None)
        assert only_due(book, START + 99 * DAY).exclusion is Exclusion.BAD_ACTOR
        book.include("alice", Exclusion.BAD_ACTOR)
        assert only_due(book, START + 99 * DAY).exclusion is None

    def test_bad_ending_excludes_until_it_has_cooled_off(self, make_book: MakeBook) -> None:
        bad = frozenset({"dispute"})
        book = make_book(replace(TERMS, cooling_off=10 * DAY, bad_endings=bad))
        book.start(build_version())
        book.enrol([build_enrolment()])
        book.record([Signal("alice", SignalKind.EVENT, START, "d", "dispute")], START)
        found = [only_due(book, START + days * DAY).exclusion for days in (9, 10)]
        assert found == [Exclusion.COOLING_OFF, None]

    def test_erased_person_is_forgotten_and_never_comes_back(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment()])
        book.suppress("alice", Channel("email"), reason="opt_out", at=START)
        assert book.erase("alice", START) == 1
        book.save_people([Person("alice", "alice@example.com", "GB")])
        assert book.enrol([replace(build_enrolment(), rotation=1)]) == 0
        book.save_people([Person("alice-again", "alice@example.com", "GB")])
        book.enrol([build_enrolment("alice-again")])
        assert only_due(book, person="alice-again").is_suppressed

    # Other events

    def test_event_that_a_journey_names_ends_it(self, book: OpenedBook) -> None:
        book.start(build_version("trial", exits=frozenset({"login", "upgraded"})))
        book.enrol([build_enrolment("alice", "trial"), build_enrolment("bob", "trial")])
        signals = [
            Signal("alice", SignalKind.LOGIN, START + HOUR, "1"),
            Signal("bob", SignalKind.EVENT, START + HOUR, "2", "upgraded"),
            Signal("bob", SignalKind.EVENT, START + HOUR, "3", "downgraded"),
        ]
        assert book.record(signals, START + DAY) == 2

    def test_event_of_before_the_entry_ends_nothing(self, book: OpenedBook) -> None:
        book.start(build_version("trial", exits=frozenset({"login"})))
        book.enrol([build_enrolment(journey="trial")])
        assert book.record([Signal("alice", SignalKind.LOGIN, START, "1")], START) == 0
        assert only_due(book).exit is None

    def test_event_recorded_before_the_enrolment_is_its_exit(self, book: OpenedBook) -> None:
        book.start(build_version("trial", exits=frozenset({"login"})))
        book.record([Signal("alice", SignalKind.LOGIN, START + HOUR, "1")], START + HOUR)
        book.enrol([build_enrolment(journey="trial")])
        assert only_due(book).exit is Reason.EVENT

    def test_signal_from_the_future_changes_nothing(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment()])
        assert book.record([build_order("alice", START + DAY)], START) == 0
        assert book.record([build_order("alice", START + DAY)], START + DAY) == 1

    def test_awaited_event_makes_an_enrolment_due(self, book: OpenedBook) -> None:
        later = START + 9 * DAY
        waiting = replace(build_enrolment(), due_at=later, wakes_on="|click|visit|")
        book.enrol([waiting, replace(build_enrolment("bob"), due_at=later)])
        kinds = (("alice", SignalKind.VIEW), ("alice", SignalKind.CLICK), ("bob", SignalKind.CLICK))
        signals = [Signal(who, kind, START, f"{who}-{kind}") for who, kind in kinds]
        book.record(signals[:1], START)
        assert list(book.due(START + HOUR, 10)) == []
        book.record(signals[1:], START + HOUR)
        assert only_due(book, START + HOUR).enrolment == replace(waiting, due_at=START + HOUR)

    def test_triggered_are_those_who_did_it_often_enough_lately(self, book: OpenedBook) -> None:
        trigger = Trigger("viewed_twice", times=2, within=DAY)
        book.start(build_triggered_version(trigger))
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

    def test_paused_journey_stands_still_and_others_go_on(self, book: OpenedBook) -> None:
        book.start(build_version("other"))
        book.enrol([build_enrolment(), build_enrolment("bob", "other")])
        book.pause("lapsed", START)
        assert [version.journey.name for version in book.running()] == ["other"]
        assert people_of(book.due(START, 10)) == ["bob"]
        assert book.take_due(START, 10, send_all) == 1
        assert book.take_due(START, 10, send_all) is None

    def test_signals_go_on_ending_enrolments_of_a_paused_journey(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment()])
        book.pause("lapsed", START)
        assert book.record([build_order("alice", START)], START) == 1

    def test_resumed_journey_is_spread_and_never_beyond_staleness(self, book: OpenedBook) -> None:
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

    def test_stopped_journey_ends_for_everyone_in_it(self, book: OpenedBook) -> None:
        book.start(build_version("other"))
        book.enrol([build_enrolment(), build_enrolment("bob"), build_enrolment("bob", "other")])
        assert book.stop("lapsed", START) == 2
        assert [one.journey for one in book.open_enrolments()] == ["other"]
        assert [version.journey.name for version in book.running()] == ["other"]

    def test_journey_started_again_goes_on(self, book: OpenedBook) -> None:
        book.pause("lapsed", START)
        book.start(build_version(version=2))
        assert [version.version for version in book.running()] == [2]

    def test_transfer_moves_only_who_stands_at_a_named_place(self, book: OpenedBook) -> None:
        book.start(build_version(version=2))
        book.enrol([build_enrolment("alice"), replace(build_enrolment("bob"), position=2)])
        assert book.transfer("lapsed", 2, {1: {0: 2}}, START) == 1
        found = {one.person: (one.version, one.position) for one in book.open_enrolments()}
        assert found == {"alice": (2, 2), "bob": (1, 2)}
