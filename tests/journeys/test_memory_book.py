"""The book in memory keeps every promise of a book, and remembers all for reports."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rekindle.errors import LedgerError
from rekindle.journeys.memory_book import Course
from rekindle.journeys.model import Signal
from rekindle.testing.book_contract import (
    START,
    TERMS,
    BookContract,
    MakeBook,
    build_enrolment,
    build_move,
    build_version,
)
from rekindle.testing.opened_books import OpenedMemoryBook
from rekindle.vocabulary import Reason, SignalKind


class TestMemoryBook(BookContract):
    @pytest.fixture
    def make_book(self) -> MakeBook:
        return OpenedMemoryBook


@pytest.fixture
def book() -> OpenedMemoryBook:
    book = OpenedMemoryBook(TERMS)
    book.start(build_version())
    return book


def test_courses_tell_how_and_when_each_enrolment_ended(book: OpenedMemoryBook) -> None:
    book.enrol([build_enrolment("alice"), build_enrolment("bob")])
    ended_at = START + timedelta(days=1)
    book.record([Signal("alice", SignalKind.ORDER, START, "order-1")], ended_at)
    assert list(book.courses()) == [
        Course(build_enrolment("alice"), Reason.ORDER, ended_at),
        Course(build_enrolment("bob"), None, None),
    ]


def test_only_moves_that_applied_are_remembered(book: OpenedMemoryBook) -> None:
    book.enrol([build_enrolment()])
    move = build_move(build_enrolment())
    book.save([move])
    book.save([move])
    assert list(book.moves) == [move]


def test_enrolment_into_a_journey_never_started_is_refused(book: OpenedMemoryBook) -> None:
    with pytest.raises(LedgerError, match="never started"):
        book.enrol([build_enrolment(journey="unknown")])
