"""Whoever writes off a message takes the place first, so that nobody waits in a circle."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connections, transaction
from django.db.models import Model

from rekindle.consent import ConsentRecord
from rekindle.gate import Decision
from rekindle.intake import read_event
from rekindle.ledger import Inbox, LedgerBook, MessageState, Outbox, models, ready_events
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
