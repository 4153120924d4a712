"""The tasks for people at the business: who took one, and what came of it.

A task is a touch that was accepted by a channel whose messages people carry out; it is open
until somebody says what came of it, its time is up, or something ended it: the journey is
over for another reason than that it ran its course, or the person bought.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rekindle.errors import UsageError
from rekindle.ledger import models
from rekindle.ledger.book.persons import settled
from rekindle.ledger.hashing import key_of_touch
from rekindle.ledger.history.audit import AuditLog
from rekindle.ledger.history.observations import Watched
from rekindle.ledger.models import MessageState
from rekindle.ledger.papers import channel_of
from rekindle.ledger.queries import ledger_errors, text_of
from rekindle.vocabulary import Channel, Reason, SignalKind

TAKEN_FOR = timedelta(hours=8)
"""So long a task is whose it is who took it; then anybody may take it, that none is lost."""


class Outcome(StrEnum):
    """What came of a task."""

    REACHED = "reached"
    WILL_RETURN = "will_return"
    DECLINED = "declined"
    NOT_REACHED = "not_reached"


@dataclass(frozen=True, slots=True)
class TaskEntry:
    """One open task. ``over`` says what ended it though nobody has done it.

    ``taken_by`` is empty where nobody has it; ``again_at`` is when to try again.
    """

    touch: int
    key: str
    person: str
    journey: str
    version: int
    step: str
    channel: Channel
    is_marketing: bool
    at: datetime
    until: datetime
    taken_by: str = ""
    again_at: datetime | None = None
    note: str = ""
    over: Reason | None = None


class Tasks:
    """The tasks of one ledger. Every method raises LedgerError when it refuses."""

    def __init__(self, alias: str) -> None:
        self._alias = alias

    @ledger_errors()
    def open(self, at: datetime, waits: Mapping[Channel, timedelta]) -> list[TaskEntry]:
        """Return the tasks nobody has done, the longest waiting first.

        ``waits`` says of each channel of tasks how long one waits for somebody.
        """
        touches = self._undone(at, waits)
        bought = self._bought({touch.person_id for touch, _ in touches})
        return [
            _entry(
                touch,
                task,
                _has_bought(touch, bought.get(touch.person_id, ())),
                at,
                waits[channel_of(touch.channel)],
            )
            for touch, task in touches
        ]

    @ledger_errors()
    def watched(self, at: datetime, waits: Mapping[Channel, timedelta]) -> list[Watched]:
        """Return whose purchase would end a task that nobody has done, as they entered."""
        entered = {touch.enrolment_id: touch.enrolment for touch, _ in self._undone(at, waits)}
        return [
            (
                one.person_id,
                text_of(one.entered_at),
                None if one.last_order_at is None else text_of(one.last_order_at),
            )
            for one in entered.values()
        ]

    def _undone(
        self, at: datetime, waits: Mapping[Channel, timedelta]
    ) -> list[tuple[models.Touch, models.Task | None]]:
        """Return the tasks that still wait, in their order, with what was done about them."""
        touches = [one for channel, wait in waits.items() for one in self._due(channel, at - wait)]
        rows = models.Task.objects.using(self._alias)
        known = rows.filter(touch__in=[one.pk for one in touches]).in_bulk(field_name="touch")
        return [
            (touch, task)
            for touch in sorted(touches, key=lambda one: one.pk)
            if (task := known.get(touch.pk)) is None or task.outcome is None
        ]

    def take(self, entry: TaskEntry, at: datetime, *, who: str) -> None:
        """Let a task be somebody's.

        Raises:
            UsageError: somebody else has it, or it was done meanwhile.
        """
        with settled(self._alias, [entry.person]) as now:
            task = self._row(entry, now[entry.person])
            holder = _holder(task, at)
            if holder not in ("", who):
                raise UsageError(f"{holder} has the task {entry.key[:12]}; `rekindle tasks list`")
            task.taken_by, task.taken_at = who, at
            task.save(using=self._alias)

    def finish(
        self, entry: TaskEntry, outcome: Outcome, at: datetime, *, who: str, note: str = ""
    ) -> None:
        """Write down what came of a task.

        Raises:
            UsageError: it was done meanwhile.
        """
        with settled(self._alias, [entry.person]) as now:
            task = self._row(entry, now[entry.person])
            task.outcome, task.note, task.done_at, task.taken_by = outcome.value, note, at, who
            task.save(using=self._alias)
            detail = {"task": entry.key, "outcome": outcome.value}
            AuditLog(self._alias).write(who, "task done", now[entry.person], detail, at)

    def postpone(
        self, entry: TaskEntry, again_at: datetime, at: datetime, *, who: str, note: str = ""
    ) -> None:
        """Give a task back to the queue, not to be taken before ``again_at``.

        Raises:
            UsageError: it was done meanwhile.
        """
        with settled(self._alias, [entry.person]) as now:
            task = self._row(entry, now[entry.person])
            task.taken_by, task.taken_at = "", None
            task.again_at, task.note = again_at, note
            task.save(using=self._alias)
            detail = {"task": entry.key, "again": again_at.isoformat()}
            AuditLog(self._alias).write(who, "task postponed", now[entry.person], detail, at)

    def _row(self, entry: TaskEntry, person: str) -> models.Task:
        rows = models.Task.objects.using(self._alias)
        rows.get_or_create(touch=entry.touch, defaults={"person_id": person})
        task = rows.select_for_update().get(touch=entry.touch)
        if task.outcome is not None:
            raise UsageError(f"the task {entry.key[:12]} was done by {task.taken_by}")
        touch = models.Touch.objects.using(self._alias).select_related("enrolment")
        if touch.get(pk=entry.touch).enrolment.ended_reason == Reason.ERASED.value:
            raise UsageError(
                f"whom the task {entry.key[:12]} was about was erased: nothing is kept of them"
            )
        return task

    def _due(self, channel: Channel, since: datetime) -> Sequence[models.Touch]:
        rows = models.Touch.objects.using(self._alias).select_related("enrolment")
        return list(
            rows.filter(
                channel=channel.value, state=MessageState.ACCEPTED, accepted_at__gt=since
            ).order_by("pk")
        )

    def _bought(self, people: Iterable[str]) -> Mapping[str, Sequence[tuple[datetime, datetime]]]:
        """Return when each of these people bought, and when that was known."""
        rows = models.Signal.objects.using(self._alias).filter(
            person__in=people, kind=SignalKind.ORDER.value, is_void=False
        )
        found: defaultdict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
        columns = ("person_id", "at", "arrived_at", "recorded_at")
        for person, happened, arrived, known_at in rows.values_list(*columns):
            found[person].append((arrived or happened, known_at))
        return found


def _holder(task: models.Task, at: datetime) -> str:
    is_held = task.taken_at is not None and at - task.taken_at < TAKEN_FOR
    return task.taken_by if is_held else ""


def _has_bought(touch: models.Touch, bought: Iterable[tuple[datetime, datetime]]) -> bool:
    """Return whether somebody bought since their task, or since they entered and unknown to it."""
    entered_with = touch.enrolment.last_order_at or touch.enrolment.entered_at
    return any(
        at > touch.at or (known_at > touch.at and at > entered_with) for at, known_at in bought
    )


def _entry(
    touch: models.Touch,
    task: models.Task | None,
    has_bought: bool,
    at: datetime,
    wait: timedelta,
) -> TaskEntry:
    enrolment, accepted_at = touch.enrolment, touch.accepted_at or touch.at
    over = Reason.ORDER.value if has_bought else enrolment.ended_reason
    return TaskEntry(
        touch=touch.pk,
        key=key_of_touch(touch),
        person=touch.person_id,
        journey=enrolment.journey,
        version=touch.version,
        step=touch.step,
        channel=channel_of(touch.channel),
        is_marketing=touch.is_marketing,
        at=accepted_at,
        until=accepted_at + wait,
        taken_by="" if task is None else _holder(task, at),
        again_at=None if task is None else task.again_at,
        note="" if task is None else task.note,
        over=None if over in {None, Reason.FINISHED.value} else Reason(over),
    )
