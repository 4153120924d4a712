"""What was decided and done can be read back."""

from __future__ import annotations

from dataclasses import replace

from rekindle.journeys import Decision, Person
from rekindle.ledger import DecisionCount, History, LedgerBook, Outbox
from rekindle.testing.book_contract import (
    DAY,
    HOUR,
    START,
    build_enrolment,
    build_move,
    build_version,
)
from rekindle.vocabulary import Answer, Arm, Reason

HELD_OUT = Decision(Answer.SKIP, Reason.HELD_OUT)
CAPPED = Decision(Answer.HOLD, Reason.CAP, START + HOUR)


def _run(book: LedgerBook) -> None:
    """Hold Alice for an hour, then write to her; Bob is held out."""
    book.start(build_version())
    book.save_people([Person("alice", "alice@example.com", "GB")])
    alice, bob = build_enrolment("alice"), replace(build_enrolment("bob"), arm=Arm.HOLDOUT)
    book.enrol([alice, bob])
    held = replace(alice, due_at=START + HOUR)
    book.save([replace(build_move(alice, decision=CAPPED), next=held)])
    book.save([build_move(held, START + HOUR), build_move(bob, decision=HELD_OUT)])


def test_decisions_are_read_back_in_order(book: LedgerBook, alias: str) -> None:
    _run(book)
    first, second = History(alias).decisions_of("alice")
    assert (first.answer, first.reason, first.until) == (Answer.HOLD, Reason.CAP, START + HOUR)
    assert (second.answer, second.reason, second.at) == (Answer.SEND, None, START + HOUR)
    assert (second.journey, second.version, second.rotation, second.step) == ("lapsed", 1, 0, "0")


def test_decisions_about_the_held_out_are_ghosts(book: LedgerBook, alias: str) -> None:
    _run(book)
    assert [one.is_ghost for one in History(alias).decisions_of("bob")] == [True]


def test_decisions_are_counted_by_answer_and_reason(book: LedgerBook, alias: str) -> None:
    _run(book)
    assert set(History(alias).decision_counts("lapsed")) == {
        DecisionCount(Answer.HOLD, Reason.CAP, is_ghost=False, count=1),
        DecisionCount(Answer.SEND, None, is_ghost=False, count=1),
        DecisionCount(Answer.SKIP, Reason.HELD_OUT, is_ghost=True, count=1),
    }


def test_first_touch_is_known_in_both_arms(book: LedgerBook, alias: str) -> None:
    _run(book)
    found = History(alias).enrolments_of("lapsed")
    assert {one.person: one.first_touch_at for one in found} == {
        "alice": START + HOUR,
        "bob": START,
    }


def test_only_accepted_messages_cost(book: LedgerBook, outbox: Outbox, alias: str) -> None:
    _run(book)
    assert History(alias).cost_of("lapsed") == 0
    (message,) = outbox.claim(START + DAY, worker="one", lease=HOUR, limit=1)
    outbox.begin_sending(message, START + DAY)
    outbox.accept(message, START + DAY, "id")
    assert History(alias).cost_of("lapsed") == 1000
