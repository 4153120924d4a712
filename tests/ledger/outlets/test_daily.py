"""What happened in each hour is counted for the watch, and whose journeys run since when."""

from __future__ import annotations

from datetime import datetime
from itertools import count

from rekindle.ledger import load_running, load_watched, models
from tests.ledger.queueing import DAY, HOUR, START, Queue

NUMBERS = count()


def _signal(queue: Queue, person: str, kind: str, at: datetime, *, is_void: bool = False) -> None:
    queue.add(
        models.Signal,
        person_id=person,
        kind=kind,
        at=at,
        recorded_at=at,
        key=f"daily-{next(NUMBERS)}",
        is_void=is_void,
    )


def test_what_happened_is_counted_by_the_hour(alias: str) -> None:
    queue = Queue(alias)
    queue.message("ann", state="accepted", accepted_at=START + HOUR / 2)
    queue.message("bob", state="accepted", accepted_at=START + HOUR)
    queue.message("carl", "other", state="accepted", accepted_at=START - HOUR)  # before
    queue.message("dora")
    _signal(queue, "ann", "bounce", START + HOUR)
    _signal(queue, "bob", "bounce", START + HOUR, is_void=True)
    _signal(queue, "bob", "opt_out", START + 2 * HOUR)
    _signal(queue, "bob", "click", START + 2 * HOUR)
    enrolments = models.Enrolment.objects.using(alias)
    ended = enrolments.filter(person_id="dora")
    ended.update(ended_at=START + 3 * HOUR, ended_reason="order")
    models.Journey.objects.using(alias).filter(name="other").update(state="paused")
    assert load_watched(alias, START, START + DAY) == {
        ("sends", ""): {START: 1, START + HOUR: 1},
        ("bounce", ""): {START + HOUR: 1},
        ("opt_out", ""): {START + 2 * HOUR: 1},
        ("conversions", ""): {START + 3 * HOUR: 1},
        ("entries", "lapsed"): {START: 3},
    }
    assert load_running(alias) == {"lapsed": START}
