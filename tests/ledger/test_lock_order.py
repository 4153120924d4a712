"""Whoever writes off a message takes the place first, so that nobody waits in a circle."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

import pytest
from django.db import connections, transaction
from django.db.models import Model

from rekindle.consent import ConsentRecord
from rekindle.gate import Decision
from rekindle.intake import read_event
from rekindle.journeys import Person
from rekindle.ledger import Inbox, LedgerBook, MessageState, Outbox, models, ready_events
from rekindle.ledger.book.own_words import OwnCard, load_own_cards
from rekindle.ledger.signals import hold_people
from rekindle.vocabulary import Answer, Channel, Reason
from tests.ledger.queueing import DAY, MINUTE, START, TERMS, Queue, claim

BLOCKED = "SELECT count(*) FROM pg_locks WHERE NOT granted"
SKIP = Decision(Answer.SKIP, Reason.STALE)

Work = Callable[[], object]


def _wait_until_blocked(alias: str, worker: threading.Thread) -> None:
    with connections[alias].cursor() as cursor:
        while worker.is_alive():
            cursor.execute(BLOCKED)
            if cursor.fetchone()[0]:
                return
    raise AssertionError("the work never waited for the place")


def _do_beside_a_batch(alias: str, work: Work, then: type[Model] = models.Touch) -> None:
    """Do ``work`` in a thread while a batch holds the place and goes on to ``then``."""

    def run() -> None:
        work()
        connections[alias].close()

    worker = threading.Thread(target=run)
    with transaction.atomic(using=alias):
        hold_people(alias, ["alice"])
        worker.start()
        _wait_until_blocked(alias, worker)
        rows = then._default_manager.using(alias).select_for_update(nowait=True)
        assert len(rows) == 1
    worker.join()


def test_a_report_takes_the_place_before_the_card(postgres: str) -> None:
    inbox = Inbox(postgres, LedgerBook(postgres, secret=b"", terms=TERMS))
    queue = Queue(postgres)
    queue.stand(queue.message())
    call = {"type": "identify", "userId": "alice", "traits": {"firstName": "Alice"}}
    reports = ready_events(postgres, [read_event(call, received_at=START)])
    _do_beside_a_batch(postgres, lambda: inbox.take("web", reports, START), models.Person)
    assert models.Person.objects.using(postgres).get().properties == {"first_name": "Alice"}


@pytest.mark.parametrize("way", ["bounce", "skip", "resolve", "withdraw"])
def test_the_place_is_taken_before_the_message(postgres: str, way: str) -> None:
    outbox, book = Outbox(postgres, terms=TERMS), LedgerBook(postgres, secret=b"", terms=TERMS)
    queue = Queue(postgres)
    touch = queue.message()
    queue.stand(touch)
    (message,) = claim(outbox)
    if way in {"bounce", "resolve"}:
        (message,) = outbox.begin_sending([message], START)
    if way == "resolve":
        outbox.mark_unknown(message, "no answer")
    later = START + DAY
    no = ConsentRecord("alice", Channel("email"), False, later, "form")
    works: dict[str, Work] = {
        "bounce": lambda: outbox.fail(message, later, error="gone", reason=Reason.BOUNCE),
        "skip": lambda: outbox.settle([(message, SKIP)], START + MINUTE),
        "resolve": lambda: outbox.resolve(message.key, sent=False, at=START + 9 * DAY, who="ann"),
        "withdraw": lambda: book.save_consent([no]),
    }
    _do_beside_a_batch(postgres, works[way])
    assert queue.touch(touch).state == (
        MessageState.FAILED if way == "bounce" else MessageState.CANCELLED
    )


@pytest.mark.parametrize("is_known", [True, False])
def test_what_somebody_says_while_files_are_written_is_not_lost(
    postgres: str, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    book = LedgerBook(postgres, secret=b"", terms=TERMS)
    if is_known:
        book.save_people([Person("alice", "alice@example.com")])
    call = {"type": "identify", "userId": "alice", "traits": {"email": "new@example.com"}}
    reports = ready_events(postgres, [read_event(call, received_at=START)])

    def say() -> None:
        Inbox(postgres, book).take("web", reports, START)
        connections[postgres].close()

    worker = threading.Thread(target=say)

    def read_meanwhile(alias: str, asked: Iterable[str]) -> dict[str, OwnCard]:
        monkeypatch.undo()
        found = load_own_cards(alias, asked)
        worker.start()
        _wait_until_blocked(postgres, worker)
        return found

    monkeypatch.setattr("rekindle.ledger.book.people.load_own_cards", read_meanwhile)
    book.save_people([Person("alice", "alice@example.com", "GB")])
    worker.join()
    card = models.Person.objects.using(postgres).get()
    assert (card.address, card.country) == ("new@example.com", "GB")
