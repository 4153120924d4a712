"""The models of whom a journey moves, and which decisions they made, as the ledger keeps them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from rekindle.gate import Decision
from rekindle.journeys import Person
from rekindle.ledger import (
    UpliftEntry,
    load_first_held_back,
    load_first_stopped,
    load_held_back,
    load_measured,
    load_uplifts,
    note_uplift,
)
from rekindle.testing.book_contract import START, build_enrolment, build_move, build_version
from rekindle.testing.opened_books import OpenedLedgerBook
from rekindle.vocabulary import Answer, Arm, Reason

DAY = timedelta(days=1)
LEFT_OUT = Decision(Answer.SKIP, Reason.NOT_WORTH_IT)


def test_newest_model_of_a_version_counts_and_the_first_says_what_was_written(alias: str) -> None:
    first = UpliftEntry(
        "lapsed", 1, START, "a" * 64, START, START.date(), 900, 5, 1.5, 0.1, 0.05, 0.15
    )
    second = UpliftEntry("lapsed", 1, START + DAY, "b" * 64, trouble="its messages were changed")
    for one in (second, first, replace(first, version=2), replace(second, journey="other")):
        note_uplift(alias, one)
    assert load_uplifts(alias, "lapsed", 1) == (second, "a" * 64)
    assert load_uplifts(alias, "lapsed", 1, before=START) == (first, "a" * 64)
    assert load_uplifts(alias, "lapsed", 3) == (None, "")


def test_who_was_held_back_is_told_from_who_was_stopped(book: OpenedLedgerBook, alias: str) -> None:
    book.start(build_version())
    said = {
        "back": (LEFT_OUT, "held back: people like this one return as often without it"),
        "sent": (Decision(Answer.SEND), "sent to learn whether holding back is right; people"),
        "held": (LEFT_OUT, "held back: people like this one return as often without it"),
        "stopped": (LEFT_OUT, "measured: a message earned 1"),
        "kept": (Decision(Answer.SEND), "kept on, to measure what stopping gives up"),
    }
    book.save_people(Person(who, f"{who}@example.com", "GB") for who in said)
    arms = {"held": Arm.HOLDOUT}
    entered = {who: replace(build_enrolment(who), arm=arms.get(who, Arm.TREATMENT)) for who in said}
    book.enrol(list(entered.values()))
    assert load_first_held_back(alias, "lapsed", 1) is None
    moves = [
        replace(build_move(entered[who], decision=decision), detail=detail)
        for who, (decision, detail) in said.items()
    ]
    assert book.save(moves) == len(said)
    found = {(one.person, one.is_kept_on) for one in load_held_back(alias, "lapsed")}
    assert found == {("back", False), ("sent", True)}
    assert {one.person for one in load_measured(alias, "lapsed")} == {"stopped", "kept"}
    assert load_first_held_back(alias, "lapsed", 1) == START
    assert set(load_first_stopped(alias, "lapsed", 1)) == {"stopped"}
    assert load_first_held_back(alias, "lapsed", 2) is None
