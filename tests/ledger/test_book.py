"""What the database adds to a book's promises: few statements, and nothing left over."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest
from django.db import IntegrityError, connections
from django.test.utils import CaptureQueriesContext

from rekindle.consent import ConsentRecord
from rekindle.errors import LedgerError
from rekindle.journeys import Enrolment, Person, Signal
from rekindle.ledger import History, LedgerBook, hash_address, models
from rekindle.testing.book_contract import (
    DAY,
    START,
    WINDOW,
    build_enrolment,
    build_move,
    build_version,
)
from rekindle.vocabulary import Arm, Channel, SignalKind


def _enrol(book: LedgerBook, count: int, prefix: str = "person") -> Sequence[Enrolment]:
    names = [f"{prefix}-{number}" for number in range(count)]
    book.save_people(Person(name, f"{name}@example.com", "GB") for name in names)
    enrolments = [build_enrolment(name) for name in names]
    book.enrol(enrolments)
    return enrolments


def _statements(book: LedgerBook, alias: str) -> int:
    with CaptureQueriesContext(connections[alias]) as captured:
        dossiers = book.due(START, 1000)
        book.save([build_move(dossier.enrolment) for dossier in dossiers])
    return len(captured)


def test_five_hundred_people_take_as_many_statements_as_ten(book: LedgerBook, alias: str) -> None:
    book.start(build_version())
    _enrol(book, 10, "few")
    few = _statements(book, alias)
    _enrol(book, 500, "many")
    assert _statements(book, alias) == few <= 12


def test_opt_out_is_also_a_withdrawal(book: LedgerBook, alias: str) -> None:
    book.record([Signal("alice", SignalKind.OPT_OUT, START, "no")], START)
    assert History(alias).consents_of("alice") == [
        ConsentRecord("alice", Channel.EMAIL, False, START, "opt_out")
    ]


def test_suppression_keeps_no_address(book: LedgerBook, alias: str) -> None:
    book.save_people([Person("alice", "Alice@Example.com ")])
    book.suppress("alice", Channel.EMAIL, reason="opt_out", at=START)
    (row,) = models.Suppression.objects.using(alias)
    assert row.address_hash == hash_address("alice@example.com", b"a secret of the tests")
    assert row.address_hash != hash_address("alice@example.com", b"another secret")


def test_assignment_is_the_first_one_for_ever(book: LedgerBook, alias: str) -> None:
    book.start(build_version())
    book.enrol([build_enrolment()])
    book.enrol([replace(build_enrolment(), rotation=1, arm=Arm.HOLDOUT)])
    assert History(alias).assigned("lapsed") == {"alice": Arm.TREATMENT}


def test_journey_that_was_never_started_takes_nobody(book: LedgerBook) -> None:
    with pytest.raises(LedgerError, match="never started"):
        book.enrol([build_enrolment()])


def test_touch_exists_once_whatever_the_code_does(book: LedgerBook, alias: str) -> None:
    book.start(build_version())
    book.enrol([build_enrolment()])
    book.save([build_move(build_enrolment())])
    (touch,) = models.Touch.objects.using(alias)
    touch.pk = None
    with pytest.raises(IntegrityError):
        touch.save(using=alias, force_insert=True)


def test_properties_are_kept_with_the_card(book: LedgerBook, alias: str) -> None:
    alice = Person("alice", "alice@example.com", "GB", "Europe/London", {"first_name": "Älice"})
    book.save_people([alice])
    assert History(alias).person("alice") == alice


def test_two_workers_on_the_same_batch_apply_each_move_once(postgres: str) -> None:
    book = LedgerBook(postgres, secret=b"s", soft_opt_in=True, longest_window=WINDOW)
    book.start(build_version())
    moves = [build_move(enrolment) for enrolment in _enrol(book, 500)]
    applied: list[int] = []
    together = threading.Barrier(2)

    def work() -> None:
        together.wait()
        applied.append(book.save(moves))
        connections[postgres].close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(applied) == 500
    assert len(History(postgres).messages_of("lapsed")) == 500


def test_signals_and_moves_at_the_same_time_leave_no_message_behind(postgres: str) -> None:
    book = LedgerBook(postgres, secret=b"s", soft_opt_in=True, longest_window=WINDOW)
    book.start(build_version())
    enrolments = _enrol(book, 300)
    orders = [
        Signal(enrolment.person, SignalKind.ORDER, START + DAY, f"order-{enrolment.person}")
        for enrolment in enrolments
    ]
    together = threading.Barrier(2)

    def buy() -> None:
        together.wait()
        book.record(orders, START + DAY)
        connections[postgres].close()

    thread = threading.Thread(target=buy)
    thread.start()
    together.wait()
    book.save([build_move(enrolment) for enrolment in enrolments])
    thread.join()
    assert list(book.open_enrolments()) == []
    assert {m.state for m in History(postgres).messages_of("lapsed")} <= {"cancelled"}
