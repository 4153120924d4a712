"""What the database adds to a book's promises: few statements, and nothing left over."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest
from django.db import IntegrityError, connections
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from rekindle.consent import ConsentRecord
from rekindle.errors import LedgerError
from rekindle.gate import Budget, Decision, Enrolment, Sent
from rekindle.journeys import Batch, Move, Person, Signal
from rekindle.ledger import History, LedgerBook, hash_address, models
from rekindle.testing.book_contract import (
    DAY,
    START,
    TERMS,
    build_enrolment,
    build_move,
    build_version,
)
from rekindle.testing.opened_books import OpenedLedgerBook
from rekindle.vocabulary import Answer, Arm, Channel, Purpose, Reason, SignalKind


def _send_all(batch: Batch) -> list[Move]:
    return [build_move(dossier.enrolment) for dossier in batch.dossiers]


def _touches(alias: str) -> QuerySet[models.Touch]:
    return models.Touch.objects.using(alias)


def _at_once(alias: str, *works: Callable[[], object]) -> None:
    """Do several things at the same time, each over a connection of its own."""
    together = threading.Barrier(len(works))
    errors: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        together.wait(60)
        try:
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            connections[alias].close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def _enrol(book: LedgerBook, count: int, prefix: str = "person") -> Sequence[Enrolment]:
    names = [f"{prefix}-{number}" for number in range(count)]
    book.save_people(Person(name, f"{name}@example.com", "GB") for name in names)
    enrolments = [build_enrolment(name) for name in names]
    book.enrol(enrolments)
    return enrolments


def _statements(book: LedgerBook, alias: str) -> int:
    with CaptureQueriesContext(connections[alias]) as captured:
        book.take_due(START, 10_000, _send_all)
    return len(captured)


def test_two_thousand_people_take_as_many_statements_as_five_hundred(
    book: LedgerBook, alias: str
) -> None:
    book.start(build_version())
    _enrol(book, 500, "few")
    few = _statements(book, alias)
    _enrol(book, 2000, "many")
    assert _statements(book, alias) == few


def test_an_idle_look_takes_a_handful_of_statements(book: LedgerBook, alias: str) -> None:
    book.start(build_version())
    assert _statements(book, alias) <= 12
    _enrol(book, 1)
    assert _statements(book, alias) <= 24


def test_card_tells_what_was_said_last(book: LedgerBook, alias: str) -> None:
    said = [(True, START - DAY), (False, START - 2 * DAY), (True, START - 3 * DAY)]
    for granted, at in said:
        book.save_consent([ConsentRecord("alice", Channel("email"), granted, at, "form")])
    card = models.Person.objects.using(alias).get(id="alice")
    assert (card.statements, card.stated_at) == ("email+", START - DAY)


def test_two_statements_at_once_both_reach_the_card(postgres: str) -> None:
    def state(granted: bool, at: datetime) -> None:
        LedgerBook(postgres, secret=b"", terms=TERMS).save_consent(
            [ConsentRecord(f"p{n}", Channel("email"), granted, at, "form") for n in range(200)]
        )

    _at_once(postgres, partial(state, True, START), partial(state, False, START + DAY))
    found = models.Person.objects.using(postgres).values_list("statements", "stated_at")
    assert set(found) == {("email-", START + DAY)}


def test_opt_out_is_also_a_withdrawal(book: LedgerBook, alias: str) -> None:
    book.record([Signal("alice", SignalKind.OPT_OUT, START, "no")], START)
    assert History(alias).consents_of("alice") == [
        ConsentRecord("alice", Channel("email"), False, START, "opt_out")
    ]


def test_suppression_keeps_no_address(book: LedgerBook, alias: str) -> None:
    book.save_people([Person("alice", "Alice@Example.com ")])
    book.suppress("alice", Channel("email"), reason="opt_out", at=START)
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


def test_touch_exists_once_whatever_the_code_does(book: OpenedLedgerBook, alias: str) -> None:
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
    book = LedgerBook(postgres, secret=b"s", terms=TERMS)
    book.start(build_version())
    _enrol(book, 500)
    applied: list[int] = []

    def work() -> None:
        mine = LedgerBook(postgres, secret=b"s", terms=TERMS)
        while (made := mine.take_due(START, 40, _send_all)) is not None:
            applied.append(made)

    _at_once(postgres, work, work)
    work()
    assert sum(applied) == 500
    assert len(History(postgres).messages_of("lapsed")) == 500


def test_two_workers_cannot_pass_a_cap_between_them(postgres: str) -> None:
    book = LedgerBook(postgres, secret=b"s", terms=TERMS)
    people = [f"person-{number}" for number in range(200)]
    for name in ("lapsed", "other"):
        book.start(build_version(name))
        book.enrol([build_enrolment(person, name) for person in people])

    def once(batch: Batch) -> list[Move]:
        """Write to whoever nobody has written to."""
        skip = Decision(Answer.SKIP, Reason.CAP)
        return [
            build_move(one.enrolment, decision=skip if one.sent else None) for one in batch.dossiers
        ]

    def work() -> None:
        mine = LedgerBook(postgres, secret=b"s", terms=TERMS)
        while mine.take_due(START, 20, once) is not None:
            pass

    _at_once(postgres, work, work)
    work()
    assert models.Decision.objects.using(postgres).count() == 400
    assert sorted(_touches(postgres).values_list("person_id", flat=True)) == sorted(people)


def test_two_workers_cannot_overspend(postgres: str) -> None:
    budget = Budget(None, None, 50_000)
    terms = replace(TERMS, budgets=(budget,))
    book = LedgerBook(postgres, secret=b"s", terms=terms)
    book.start(build_version())
    _enrol(book, 200)

    def within(batch: Batch) -> list[Move]:
        left = (budget.limit_micros - batch.reserved[budget.name]) // 1000
        send = [replace(move, budgets=(budget.name,)) for move in _send_all(batch)]
        skip = Decision(Answer.SKIP, Reason.BUDGET)
        return send[:left] + [replace(move, decision=skip) for move in send[left:]]

    def work() -> None:
        mine = LedgerBook(postgres, secret=b"s", terms=terms)
        while mine.take_due(START, 15, within) is not None:
            pass

    _at_once(postgres, work, work)
    work()
    assert _touches(postgres).count() == 50
    (row,) = models.Budget.objects.using(postgres)
    assert (row.month, row.reserved_micros) == ("2026-03", 50_000)


def test_signals_and_moves_at_the_same_time_leave_no_message_behind(postgres: str) -> None:
    book = LedgerBook(postgres, secret=b"s", terms=TERMS)
    book.start(build_version())
    orders = [
        Signal(enrolment.person, SignalKind.ORDER, START + DAY, f"order-{enrolment.person}")
        for enrolment in _enrol(book, 300)
    ]

    def work() -> None:
        while book.take_due(START, 40, _send_all) is not None:
            pass

    _at_once(postgres, work, lambda: [book.record(orders[n::10], START + DAY) for n in range(10)])
    assert list(book.open_enrolments()) == []
    assert {m.state for m in History(postgres).messages_of("lapsed")} <= {"cancelled"}


def test_message_that_has_not_left_counts_as_of_the_look(
    book: OpenedLedgerBook, alias: str
) -> None:
    """It may leave at any moment, so a cap counts it as if it left now."""
    book.start(build_version())
    book.enrol([build_enrolment()])
    book.save([build_move(build_enrolment())])
    at = START + 30 * DAY
    assert book.due(at, 9)[0].sent == (Sent(Channel("email"), at),)
    _touches(alias).update(state="accepted", accepted_at=at - 2 * DAY)
    assert book.due(at, 9)[0].sent == (Sent(Channel("email"), at - 2 * DAY),)
    _touches(alias).update(state="cancelled", accepted_at=None)
    assert book.due(at, 9)[0].sent == ()


def test_budget_is_given_back_when_an_order_cancels_the_message(alias: str) -> None:
    terms = replace(TERMS, budgets=(Budget("lapsed", None, 50_000),))
    book = LedgerBook(alias, secret=b"s", terms=terms)
    book.start(build_version())
    _enrol(book, 2)
    paid = ("lapsed/*",)
    book.take_due(START, 9, lambda b: [replace(m, budgets=paid) for m in _send_all(b)])
    budgets = models.Budget.objects.using(alias)
    assert budgets.get().reserved_micros == 2000
    book.record([Signal("person-0", SignalKind.ORDER, START, "order")], START)
    assert budgets.get().reserved_micros == 1000


def test_withdrawal_cancels_marketing_but_not_a_receipt(book: OpenedLedgerBook, alias: str) -> None:
    book.start(build_version())
    book.start(build_version("receipt", purpose=Purpose.TRANSACTIONAL))
    both = [build_enrolment(), build_enrolment(journey="receipt")]
    book.enrol(both)
    book.save([build_move(enrolment) for enrolment in both])
    no = ConsentRecord("alice", Channel("email"), False, START, "form")
    book.save_consent([no])
    states = dict(_touches(alias).values_list("is_marketing", "state"))
    assert states == {True: "cancelled", False: "queued"}


def test_old_withdrawal_cancels_nothing_once_granted_anew(
    book: OpenedLedgerBook, alias: str
) -> None:
    book.start(build_version())
    book.enrol([build_enrolment()])
    book.save_consent([ConsentRecord("alice", Channel("email"), True, START, "form")])
    book.save([build_move(build_enrolment())])
    book.save_consent([ConsentRecord("alice", Channel("email"), False, START - DAY, "import")])
    assert _touches(alias).get().state == "queued"


def test_erasure_leaves_no_address_behind(book: OpenedLedgerBook, alias: str) -> None:
    book.start(build_version())
    book.save_people([Person("alice", "a@example.com", "GB", "UTC", {"x": "y"}, "+44123")])
    book.enrol([build_enrolment()])
    book.save([build_move(build_enrolment())])
    book.erase("alice", START)
    assert History(alias).person("alice") == Person("alice")
    assert _touches(alias).get().state == "cancelled"


def test_every_open_enrolment_stands_somewhere_and_no_other(book: LedgerBook, alias: str) -> None:
    book.start(build_version())
    _enrol(book, 20)
    book.take_due(START, 5, lambda b: [replace(m, ended=Reason.FINISHED) for m in _send_all(b)])
    book.record([Signal("person-7", SignalKind.BOUNCE, START, "b")], START)
    standing = set(models.Place.objects.using(alias).values_list("enrolment_id", flat=True))
    rows = models.Enrolment.objects.using(alias)
    assert standing == set(rows.filter(ended_at=None).values_list("pk", flat=True))


@pytest.mark.long
def test_two_processes_share_a_sqlite_ledger_without_a_word(sqlite: str, tmp_path: Path) -> None:
    """Readers, writers and a checkpoint at once: whoever has to wait waits."""
    book = LedgerBook(sqlite, secret=b"s", terms=TERMS)
    book.start(build_version())
    _enrol(book, 400)
    command = [sys.executable, "-c", OTHER_PROCESS, str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as other:
        while book.take_due(START, 5, _send_all) is not None:
            list(book.open_enrolments())
        _, complaint = other.communicate(timeout=60)
    assert complaint == ""
    assert _touches(sqlite).count() == 400
    assert models.Signal.objects.using(sqlite).count() == 200


OTHER_PROCESS = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from django.db import connections
from rekindle.gate import BookRules
from rekindle.journeys import Signal
from rekindle.ledger import LedgerBook, connect
from rekindle.vocabulary import SignalKind

alias = connect("sqlite:///ledger.sqlite3", base=Path(sys.argv[1]))
book = LedgerBook(alias, secret=b"s", terms=BookRules())
at = datetime(2026, 3, 2, 9, tzinfo=UTC)
for number in range(200):
    book.record([Signal("zoe", SignalKind.VISIT, at, f"visit-{number}")], at)
    if number % 20 == 0:
        connections[alias].cursor().execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
"""
