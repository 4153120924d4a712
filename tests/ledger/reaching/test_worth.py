"""What messages were found to earn, and which decisions that made, as the ledger keeps them."""

from __future__ import annotations

from dataclasses import replace

from rekindle.gate import BookRules, Decision, DeclaredSubgroups
from rekindle.journeys import Batch, Move, Person
from rekindle.ledger import (
    WorthEntry,
    load_first_stopped,
    load_measured,
    load_worth,
    note_worth,
)
from rekindle.testing.book_contract import START, build_enrolment, build_move, build_version
from rekindle.testing.opened_books import OpenedLedgerBook
from rekindle.vocabulary import Answer, Arm, Reason

TODAY = START.date()
STOPPED = Decision(Answer.SKIP, Reason.NOT_WORTH_IT)


def test_what_was_found_of_a_day_stays(alias: str) -> None:
    first = WorthEntry("lapsed", START, 900, 200_000, -100_000, 500_000)
    unknown = WorthEntry("other", START, trouble="nobody bought in either arm")
    for one in (first, unknown, replace(first, micros=1)):
        note_worth(alias, TODAY, one)
    assert load_worth(alias, TODAY) == {("lapsed", ""): first, ("other", ""): unknown}


def test_what_was_found_of_subgroups_stands_apart(alias: str) -> None:
    found = [
        WorthEntry("lapsed", START, 9, 1, -2, 3, subgroup=name, again=again)
        for name, again in (("", None), ("tier = dormant", 7))
    ]
    for one in found:
        note_worth(alias, TODAY, one)
    assert list(load_worth(alias, TODAY).values()) == found


def test_batch_says_in_which_subgroup_people_entered(alias: str) -> None:
    terms = BookRules(subgroups=DeclaredSubgroups("tier", ("dormant",)))
    book = OpenedLedgerBook(alias, secret=b"s", terms=terms)
    book.start(build_version())
    kept = {"alice": {"tier": "dormant"}, "bob": {"tier": "lapsed"}, "carol": {}}
    book.save_people(Person(who, f"{who}@example.com", "GB") for who in kept)
    book.enrol([build_enrolment(who) for who in kept], covariates=kept)
    seen: list[Batch] = []

    def decide(batch: Batch) -> list[Move]:
        seen.append(batch)
        return []

    book.take_due(START, 10, decide)
    assert seen[0].subgroups == {
        ("alice", "lapsed"): "tier = dormant",
        ("bob", "lapsed"): "tier: all others",
    }


def test_decisions_that_rest_on_it_are_those_of_the_treated_alone(
    book: OpenedLedgerBook, alias: str
) -> None:
    book.start(build_version())
    said = {
        "stopped": (STOPPED, "measured: a message earned 1"),
        "kept": (Decision(Answer.SEND), "kept on, to measure what stopping gives up"),
        "claimed": (STOPPED, ""),
        "usual": (Decision(Answer.SEND), "10 % off: kept on, or so"),
        "held": (STOPPED, "measured: a message earned 1"),
    }
    book.save_people(Person(who, f"{who}@example.com", "GB") for who in said)
    arms = {"held": Arm.HOLDOUT}
    entered = {who: replace(build_enrolment(who), arm=arms.get(who, Arm.TREATMENT)) for who in said}
    book.enrol(list(entered.values()))
    assert load_first_stopped(alias, "lapsed", 1) == {}
    moves = [
        replace(build_move(entered[who], decision=decision), detail=detail)
        for who, (decision, detail) in said.items()
    ]
    assert book.save(moves) == len(said)
    found = {(one.person, one.is_kept_on, one.at) for one in load_measured(alias, "lapsed")}
    assert found == {("stopped", False, START), ("kept", True, START)}
    assert load_first_stopped(alias, "lapsed", 1) == dict.fromkeys(("held", "stopped"), START)
    assert load_first_stopped(alias, "lapsed", 2) == {}
