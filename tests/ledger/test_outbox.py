"""A message leaves once or its fate is unknown; it never leaves after a stop."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connections

from rekindle.consent import ConsentRecord
from rekindle.journeys import Person, Signal
from rekindle.ledger import History, LedgerBook, MessageState, Outbox, OutboxMessage, Recovered
from rekindle.testing.book_contract import (
    DAY,
    HOUR,
    START,
    build_enrolment,
    build_move,
    build_version,
)
from rekindle.vocabulary import Arm, Channel, Reason, SignalKind

LEASE = timedelta(minutes=5)


@pytest.fixture
def queued(book: LedgerBook) -> LedgerBook:
    """Return a book in which Alice's first message waits in the outbox."""
    book.start(build_version())
    _queue(book, "alice")
    return book


def _queue(book: LedgerBook, *people: str, arm: Arm = Arm.TREATMENT) -> None:
    book.save_people(Person(person, f"{person}@example.com", "GB") for person in people)
    enrolments = [replace(build_enrolment(person), arm=arm) for person in people]
    book.enrol(enrolments)
    book.save([build_move(enrolment) for enrolment in enrolments])


def _claim(outbox: Outbox, worker: str = "one", limit: int = 10) -> list[OutboxMessage]:
    return outbox.claim(START, worker=worker, lease=LEASE, limit=limit)


def _states(alias: str, person: str = "alice") -> list[tuple[MessageState, Reason | None]]:
    return [(m.state, m.reason) for m in History(alias).messages_of_person(person)]


def _order(at_key: str = "order") -> Signal:
    return Signal("alice", SignalKind.ORDER, START + HOUR, at_key)


def test_claimed_message_says_all_a_sender_needs(queued: LedgerBook, outbox: Outbox) -> None:
    (message,) = _claim(outbox)
    assert (message.person, message.address) == ("alice", "alice@example.com")
    assert (message.journey, message.version, message.step) == ("lapsed", 1, "0")
    assert (message.template, message.channel) == ("check-in", Channel.EMAIL)
    assert (message.cost_micros, message.created_at) == (1000, START)
    assert len(message.key) == 64


def test_claimed_message_is_not_claimed_again(queued: LedgerBook, outbox: Outbox) -> None:
    assert len(_claim(outbox)) == 1
    assert _claim(outbox, "two") == []


def test_held_out_person_never_gets_a_message(book: LedgerBook, outbox: Outbox) -> None:
    book.start(build_version())
    _queue(book, "alice", arm=Arm.HOLDOUT)
    assert _claim(outbox) == []


def test_accepted_message_is_done(queued: LedgerBook, outbox: Outbox, alias: str) -> None:
    (message,) = _claim(outbox)
    assert outbox.begin_sending(message, START)
    outbox.accept(message, START + HOUR, "provider-1")
    (entry,) = History(alias).messages_of("lapsed")
    assert (entry.state, entry.accepted_at) == (MessageState.ACCEPTED, START + HOUR)
    assert outbox.recover(START + DAY) == Recovered(queued=0, unknown=0)


def test_message_begins_to_leave_once(queued: LedgerBook, outbox: Outbox) -> None:
    (message,) = _claim(outbox)
    assert [outbox.begin_sending(message, START) for _ in range(2)] == [True, False]


def test_worker_lost_while_sending_leaves_the_fate_unknown(
    queued: LedgerBook, outbox: Outbox, alias: str
) -> None:
    (message,) = _claim(outbox)
    outbox.begin_sending(message, START)
    assert outbox.recover(START + LEASE) == Recovered(queued=0, unknown=1)
    assert _claim(outbox, "two") == []
    assert [(one.key, one.state) for one in outbox.stuck()] == [(message.key, MessageState.UNKNOWN)]
    outbox.accept(message, START + HOUR, "the provider's event came late")
    assert _states(alias) == [(MessageState.ACCEPTED, None)]


def test_worker_lost_before_sending_leaves_the_message_queued(
    queued: LedgerBook, outbox: Outbox
) -> None:
    (message,) = _claim(outbox)
    assert outbox.recover(START + LEASE) == Recovered(queued=1, unknown=0)
    assert not outbox.begin_sending(message, START + LEASE)
    assert [again.key for again in _claim(outbox, "two")] == [message.key]


def test_idempotent_outlet_takes_the_unknown_again(queued: LedgerBook, outbox: Outbox) -> None:
    (message,) = _claim(outbox)
    outbox.begin_sending(message, START)
    assert outbox.recover(START + LEASE, is_idempotent=True) == Recovered(queued=1, unknown=0)


def test_running_lease_is_left_alone(queued: LedgerBook, outbox: Outbox) -> None:
    (message,) = _claim(outbox)
    outbox.begin_sending(message, START + 4 * timedelta(minutes=1))
    assert outbox.recover(START + LEASE) == Recovered(queued=0, unknown=0)


def test_purchase_cancels_what_has_not_left(queued: LedgerBook, outbox: Outbox, alias: str) -> None:
    (message,) = _claim(outbox)
    assert queued.record([_order()], START + HOUR) == 1
    assert not outbox.begin_sending(message, START + HOUR)
    assert _states(alias) == [(MessageState.CANCELLED, Reason.ORDER)]


def test_purchase_cancels_the_last_message_of_a_finished_journey(
    book: LedgerBook, outbox: Outbox, alias: str
) -> None:
    book.start(build_version())
    book.enrol([build_enrolment()])
    book.save([replace(build_move(build_enrolment()), ended=Reason.FINISHED)])
    assert book.record([_order()], START + HOUR) == 0
    assert _states(alias) == [(MessageState.CANCELLED, Reason.ORDER)]


def test_purchase_leaves_a_message_on_its_way_alone_but_stops_its_retry(
    queued: LedgerBook, outbox: Outbox, alias: str
) -> None:
    (message,) = _claim(outbox)
    outbox.begin_sending(message, START)
    queued.record([_order()], START + HOUR)
    assert _states(alias) == [(MessageState.SENDING, None)]
    outbox.fail(message, START, error="busy", permanent=False, retry_at=START)
    (again,) = _claim(outbox)
    assert not outbox.begin_sending(again, START + HOUR)
    assert _states(alias) == [(MessageState.CANCELLED, Reason.EXIT_REACHED)]


def test_suppression_is_seen_at_the_last_moment(
    queued: LedgerBook, outbox: Outbox, alias: str
) -> None:
    (message,) = _claim(outbox)
    queued.suppress("alice", Channel.EMAIL, reason="opt_out", at=START)
    assert not outbox.begin_sending(message, START)
    assert _states(alias) == [(MessageState.CANCELLED, Reason.SUPPRESSED)]


def test_withdrawal_is_seen_at_the_last_moment(
    queued: LedgerBook, outbox: Outbox, alias: str
) -> None:
    (message,) = _claim(outbox)
    queued.save_consent([ConsentRecord("alice", Channel.EMAIL, False, START, "portal")])
    assert not outbox.begin_sending(message, START)
    assert _states(alias) == [(MessageState.CANCELLED, Reason.NO_PERMISSION)]


def test_address_that_is_gone_is_seen_at_the_last_moment(
    queued: LedgerBook, outbox: Outbox, alias: str
) -> None:
    (message,) = _claim(outbox)
    queued.save_people([Person("alice")])
    assert not outbox.begin_sending(message, START)
    assert _states(alias) == [(MessageState.CANCELLED, Reason.UNREACHABLE)]


def test_what_waited_through_an_outage_is_not_sent(
    queued: LedgerBook, outbox: Outbox, alias: str
) -> None:
    stale_after = timedelta(days=3)
    late = START + stale_after + HOUR
    assert outbox.claim(late, worker="one", lease=LEASE, limit=10) == []
    assert _states(alias) == [(MessageState.CANCELLED, Reason.STALE)]


def test_temporary_failure_waits_for_its_next_try(queued: LedgerBook, outbox: Outbox) -> None:
    (message,) = _claim(outbox)
    outbox.begin_sending(message, START)
    outbox.fail(message, START, error="greylisted", permanent=False, retry_at=START + HOUR)
    assert _claim(outbox) == []
    (again,) = outbox.claim(START + HOUR, worker="two", lease=LEASE, limit=10)
    assert (again.key, again.attempts) == (message.key, 1)


def test_permanent_failure_is_a_bounce(queued: LedgerBook, outbox: Outbox, alias: str) -> None:
    (message,) = _claim(outbox)
    outbox.begin_sending(message, START)
    outbox.fail(message, START, error="550 no such user", permanent=True)
    (enrolment,) = History(alias).enrolments_of("lapsed")
    assert enrolment.ended_reason is Reason.BOUNCE
    assert [one.error for one in outbox.stuck()] == ["550 no such user"]
    queued.enrol([replace(build_enrolment(), rotation=1)])
    assert queued.due(START, 10)[0].is_suppressed


def test_unknown_fate_is_kept_for_a_person(queued: LedgerBook, outbox: Outbox) -> None:
    (message,) = _claim(outbox)
    outbox.begin_sending(message, START)
    outbox.mark_unknown(message, START, "connection lost after DATA")
    assert [one.error for one in outbox.stuck()] == ["connection lost after DATA"]


@pytest.mark.parametrize(
    ("fate", "counts"),
    [("queued", 1), ("accepted", 1), ("unknown", 1), ("failed", 0), ("cancelled", 0)],
)
def test_caps_count_what_may_have_reached_the_person(
    queued: LedgerBook, outbox: Outbox, fate: str, counts: int
) -> None:
    queued.start(build_version("other"))
    (message,) = _claim(outbox) if fate != "queued" else (None,)
    if message is not None:
        _meet(outbox, message, fate)
    queued.enrol([build_enrolment(journey="other")])
    (dossier,) = (d for d in queued.due(START + HOUR, 9) if d.enrolment.journey == "other")
    assert len(dossier.sent) == counts


def _meet(outbox: Outbox, message: OutboxMessage, fate: str) -> None:
    at = START + 4 * DAY if fate == "cancelled" else START
    outbox.begin_sending(message, at)
    if fate == "accepted":
        outbox.accept(message, START, "")
    if fate == "unknown":
        outbox.mark_unknown(message, START, "lost")
    if fate == "failed":
        outbox.fail(message, START, error="no", permanent=True)


def test_window_runs_from_the_acceptance(queued: LedgerBook, outbox: Outbox) -> None:
    (message,) = _claim(outbox)
    outbox.begin_sending(message, START)
    outbox.accept(message, START + DAY, "")
    (dossier,) = queued.due(START + 7 * DAY + HOUR, 9)
    assert [sent.at for sent in dossier.sent] == [START + DAY]


def test_workers_at_the_same_time_never_share_a_message(postgres: str) -> None:
    book = LedgerBook(postgres, secret=b"s", soft_opt_in=True, longest_window=DAY)
    book.start(build_version())
    _queue(book, *(f"person-{number}" for number in range(400)))
    claimed: dict[str, list[str]] = {"one": [], "two": []}
    together = threading.Barrier(2)

    def work(name: str) -> None:
        together.wait()
        while batch := _claim(Outbox(postgres), name, limit=7):
            claimed[name] += [message.key for message in batch]
        connections[postgres].close()

    threads = [threading.Thread(target=work, args=(name,)) for name in claimed]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    keys = claimed["one"] + claimed["two"]
    assert len(keys) == len(set(keys)) == 400
    assert all(claimed.values())
