"""The holdout of all marketing journeys in the ledger: its shares, its people, who they become."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from rekindle.experiments import assign
from rekindle.gate import GlobalHoldout
from rekindle.identity import JoinReason, Link
from rekindle.journeys import Person
from rekindle.ledger import load_drawn, load_periods
from rekindle.testing.book_contract import DAY, START, TERMS, build_enrolment, build_version
from rekindle.testing.opened_books import OpenedLedgerBook
from rekindle.vocabulary import Arm

SALT = "shop/*"
CROWD = tuple(f"p{number}" for number in range(60))


def book_at(alias: str, share: float) -> OpenedLedgerBook:
    terms = replace(TERMS, holdout=GlobalHoldout(share, SALT))
    book = OpenedLedgerBook(alias, secret=b"secret", terms=terms)
    book.save_people(Person(who, f"{who}@example.com", "GB") for who in CROWD)
    book.start(build_version())
    return book


def enter(book: OpenedLedgerBook, people: tuple[str, ...], at: datetime) -> None:
    book.enrol([replace(build_enrolment(who), entered_at=at) for who in people])


def held(share: float, people: tuple[str, ...] = CROWD) -> set[str]:
    return {who for who in people if assign(who, salt=SALT, holdout_share=share) is Arm.HOLDOUT}


def held_in(alias: str) -> set[str]:
    return {one.person for one in load_drawn(alias) if one.arm is Arm.HOLDOUT}


@pytest.mark.parametrize("later", [0.6, 0.1])
def test_changed_share_draws_new_people_alone(alias: str, later: float) -> None:
    first, second = CROWD[:30], CROWD[30:]
    enter(book_at(alias, 0.3), first, START)
    enter(book_at(alias, later), CROWD, START + DAY)
    assert held_in(alias) == held(0.3, first) | held(later, second)
    periods = [(one.number, one.share, one.since) for one in load_periods(alias)]
    assert periods == [(1, 0.3, START), (2, later, START + DAY)]
    assert {one.period for one in load_drawn(alias) if one.person in second} == {2}


def test_ended_holdout_is_remembered_and_withholds_nobody(alias: str) -> None:
    enter(book_at(alias, 0.3), CROWD, START)
    ended = book_at(alias, 0.0)
    period = ended.note_holdout(START + DAY)
    assert period is not None
    assert period.share == 0
    assert ended.note_holdout(START + 2 * DAY) is None
    assert not any(one.is_withheld for one in ended.due(START + DAY, 100))
    begun_again = book_at(alias, 0.3)
    due = begun_again.due(START + DAY, 100)
    assert {one.enrolment.person for one in due if one.is_withheld} == held(0.3)


def test_nothing_is_remembered_where_there_never_was_a_holdout(alias: str) -> None:
    book = book_at(alias, 0.0)
    enter(book, CROWD, START)
    assert book.note_holdout(START) is None
    assert load_periods(alias) == []
    assert load_drawn(alias) == []


@pytest.mark.parametrize("is_held_first", [True, False])
def test_joined_persons_follow_the_earlier_draw(alias: str, is_held_first: bool) -> None:
    one, other = min(held(0.3)), min(set(CROWD) - held(0.3))
    first, second = (one, other) if is_held_first else (other, one)
    book = book_at(alias, 0.3)
    enter(book, (first,), START)
    enter(book, (second,), START + DAY)
    book.persons.join([Link(first, second, JoinReason.BY_HAND, "")], START + 2 * DAY, by="test")
    (drawn,) = (found for found in load_drawn(alias) if found.person == second)
    assert (drawn.arm is Arm.HOLDOUT, drawn.at) == (is_held_first, START)
    due = [found for found in book.due(START + 9 * DAY, 9) if found.enrolment.person == second]
    assert [found.is_withheld for found in due] == [is_held_first] * len(due)
    assert due
