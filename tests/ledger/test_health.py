"""What happens after a message is counted against the journey that sent it."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest

from rekindle.journeys import Window
from rekindle.ledger import AuditLog, load_windows, models
from tests.ledger.queueing import DAY, HOUR, START, Queue

NOW = START + 10 * DAY
NUMBERS = count()


@pytest.fixture
def queue(alias: str) -> Queue:
    return Queue(alias)


def _accept(queue: Queue, person: str, ago: timedelta, journey: str = "lapsed") -> None:
    queue.message(person, journey, state="accepted", accepted_at=NOW - ago)


def _signal(queue: Queue, person: str, kind: str, ago: timedelta, key: str = "") -> None:
    key = key or f"signal-{next(NUMBERS)}"
    queue.add(models.Signal, person_id=person, kind=kind, at=NOW - ago, recorded_at=NOW, key=key)


def test_messages_and_what_they_met_with_are_counted_by_window(queue: Queue, alias: str) -> None:
    _accept(queue, "ann", 2 * HOUR)
    _accept(queue, "bob", 30 * HOUR)
    _accept(queue, "carl", 3 * DAY)
    _signal(queue, "ann", "complaint", HOUR)
    _signal(queue, "bob", "opt_out", 26 * HOUR)
    _signal(queue, "carl", "bounce", HOUR)
    _signal(queue, "ann", "click", HOUR)
    assert load_windows(alias, NOW, DAY) == {
        "lapsed": (
            Window(messages=1, complaints=1, bounces=1),
            Window(messages=1, opt_outs=1),
        )
    }


def test_what_happens_belongs_to_the_newest_message_by_then(queue: Queue, alias: str) -> None:
    _accept(queue, "ann", 3 * HOUR, "first")
    _accept(queue, "ann", 2 * HOUR, "second")
    _accept(queue, "ann", timedelta(minutes=5), "third")
    _signal(queue, "ann", "complaint", HOUR)
    found = load_windows(alias, NOW, DAY)
    assert {name: newer.complaints for name, (newer, _) in found.items()} == {
        "first": 0,
        "second": 1,
        "third": 0,
    }


def test_message_of_long_ago_is_not_blamed(queue: Queue, alias: str) -> None:
    queue.message("ann", state="accepted", accepted_at=NOW - 31 * DAY)
    models.Journey.objects.using(alias).update(changed_at=NOW - 99 * DAY)
    _signal(queue, "ann", "complaint", HOUR)
    assert load_windows(alias, NOW, DAY) == {}


def test_address_refused_at_the_door_is_a_bounce_of_that_message(queue: Queue, alias: str) -> None:
    _accept(queue, "ann", 4 * DAY, "other")
    queue.message("ann", state="failed", reason="bounce", not_before=NOW - HOUR)
    _signal(queue, "ann", "bounce", HOUR, key="bounce:abc")
    assert load_windows(alias, NOW, DAY) == {"lapsed": (Window(messages=1, bounces=1), Window())}


def test_nothing_from_before_it_was_resumed_counts(queue: Queue, alias: str) -> None:
    _accept(queue, "ann", 2 * HOUR)
    _signal(queue, "ann", "complaint", timedelta(minutes=5))
    models.Journey.objects.using(alias).update(changed_at=NOW - HOUR)
    assert load_windows(alias, NOW, DAY) == {}


def test_journey_that_is_paused_is_not_looked_at(queue: Queue, alias: str) -> None:
    _accept(queue, "ann", 2 * HOUR)
    models.Journey.objects.using(alias).update(state="paused")
    assert load_windows(alias, NOW, DAY) == {}


def test_audit_log_is_read_back_newest_first(alias: str) -> None:
    log = AuditLog(alias)
    log.write("ann", "paused", "lapsed", {"why": "a typo"}, START)
    log.write("bob", "resumed", "lapsed", {}, START + HOUR)
    log.write("bob", "paused", "other", {}, START + HOUR)
    assert [(one.who, one.action) for one in log.entries("lapsed")] == [
        ("bob", "resumed"),
        ("ann", "paused"),
    ]
    assert log.entries("lapsed")[1].detail == {"why": "a typo"}
    assert len(log.entries(limit=2)) == 2
