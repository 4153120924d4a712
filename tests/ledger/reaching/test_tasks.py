"""Tasks of people: whose one is, what ends it, and that it is done once; on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rekindle.errors import UsageError
from rekindle.ledger import Outcome, TaskEntry, Tasks, models
from rekindle.vocabulary import Channel, Reason
from tests.ledger.queueing import DAY, HOUR, START, Queue

TASK = Channel("task")
WAITS = {TASK: 10 * DAY}


def given(alias: str, person: str = "ann", journey: str = "lapsed") -> int:
    """Take a task about somebody down."""
    number = Queue(alias).message(person, journey)
    models.Touch.objects.using(alias).filter(pk=number).update(
        channel="task", state="accepted", accepted_at=START
    )
    return number


def only(alias: str, after: timedelta = timedelta()) -> TaskEntry:
    (entry,) = Tasks(alias).open(START + after, WAITS)
    return entry


def test_a_task_is_open_until_its_time_is_up(alias: str) -> None:
    given(alias)
    entry = only(alias)
    assert (entry.person, entry.step, entry.until) == ("ann", "check-in", START + 10 * DAY)
    assert Tasks(alias).open(START + 10 * DAY, WAITS) == []
    assert Tasks(alias).open(START, {}) == []


def test_a_task_is_one_persons_for_a_while(alias: str) -> None:
    given(alias)
    tasks, entry = Tasks(alias), only(alias)
    tasks.take(entry, START, who="bob")
    tasks.take(entry, START + HOUR, who="bob")
    with pytest.raises(UsageError, match="bob has the task"):
        tasks.take(entry, START + 2 * HOUR, who="eve")
    assert only(alias, 2 * HOUR).taken_by == "bob"
    assert only(alias, 9 * HOUR).taken_by == ""
    tasks.take(entry, START + 9 * HOUR, who="eve")


def test_a_task_is_done_once(alias: str) -> None:
    given(alias)
    tasks, entry = Tasks(alias), only(alias)
    tasks.finish(entry, Outcome.DECLINED, START, who="bob", note="too dear")
    assert tasks.open(START, WAITS) == []
    with pytest.raises(UsageError, match="was done by bob"):
        tasks.take(entry, START, who="eve")
    with pytest.raises(UsageError, match="was done by bob"):
        tasks.finish(entry, Outcome.REACHED, START, who="eve")
    with pytest.raises(UsageError, match="was done by bob"):
        tasks.postpone(entry, START + DAY, START, who="eve")
    log = models.AuditEntry.objects.using(alias).get(action="task done")
    assert (log.who, log.subject, log.detail["outcome"]) == ("bob", "ann", "declined")


def test_who_is_to_be_called_back_is_back_in_the_queue(alias: str) -> None:
    given(alias)
    tasks, entry = Tasks(alias), only(alias)
    tasks.take(entry, START, who="bob")
    tasks.postpone(entry, START + 2 * DAY, START + HOUR, who="bob", note="on Wednesday")
    entry = only(alias, 2 * HOUR)
    assert (entry.taken_by, entry.again_at) == ("", START + 2 * DAY)
    assert entry.note == "on Wednesday"


@pytest.mark.parametrize(
    ("ended", "over"),
    [(None, None), ("finished", None), ("opt_out", Reason.OPT_OUT), ("stopped", Reason.STOPPED)],
)
def test_what_ends_a_journey_ends_its_tasks(
    alias: str, ended: str | None, over: Reason | None
) -> None:
    given(alias)
    models.Enrolment.objects.using(alias).update(
        ended_reason=ended, ended_at=None if ended is None else START
    )
    assert only(alias).over is over


def test_a_purchase_since_ends_a_task_though_the_journey_ran_its_course(alias: str) -> None:
    number = given(alias)
    order = {"person_id": "ann", "kind": "order", "recorded_at": START, "key": "o-1"}
    queue = Queue(alias)
    signal = queue.add(models.Signal, at=START - DAY, **order)
    assert only(alias).over is None
    models.Signal.objects.using(alias).filter(pk=signal.pk).update(at=START + HOUR)
    assert only(alias).over is Reason.ORDER
    models.Signal.objects.using(alias).filter(pk=signal.pk).update(is_void=True)
    assert only(alias).over is None
    assert only(alias).touch == number
