"""What people at the business are to do: listed, taken and done; the gate is asked each time.

Between the decision and the call days may pass, and the person may have bought, said no or
gone to bed. So whoever takes a task asks the gate as the dispatcher does before a message
leaves, by the hours in which the law lets somebody be called.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from rekindle.channels import find_task_waits
from rekindle.config import LONGEST_DURATION
from rekindle.errors import UsageError
from rekindle.gate import Decision, GateContext, JourneyRules, decide
from rekindle.journeys import Send, Signal
from rekindle.ledger import Outcome, TaskEntry, Tasks, ledger_transaction
from rekindle.runtime import Workspace
from rekindle.vocabulary import Answer, Channel, Purpose, Reason, SignalKind
from rekindle.wording import moment

SPOKEN = frozenset({Outcome.REACHED, Outcome.WILL_RETURN, Outcome.DECLINED})
"""What was said to somebody, and so is an answer of theirs."""


@dataclass(frozen=True, slots=True)
class OpenTask:
    """A task, and what the gate answers about it now."""

    entry: TaskEntry
    decision: Decision

    @property
    def is_over(self) -> bool:
        """Return whether it is not to be done any more."""
        return self.decision.answer is Answer.SKIP

    @property
    def may_be_done(self) -> bool:
        """Return whether it may be done now."""
        return self.decision.answer is Answer.SEND


def list_tasks(workspace: Workspace) -> list[OpenTask]:
    """Return the tasks nobody has done, with what the gate says of each now."""
    at = workspace.clock.now()
    entries = Tasks(workspace.ledger).open(
        at, find_task_waits(workspace.config, workspace.capabilities)
    )
    return [OpenTask(one, _look(workspace, one, at)) for one in entries]


def find_task(workspace: Workspace, key: str) -> OpenTask:
    """Return the open task whose key begins so; without one, the first that may be done.

    Raises:
        UsageError: there is none, or there are several.
    """
    tasks = list_tasks(workspace)
    if not key:
        free = [one for one in tasks if one.may_be_done and not one.entry.taken_by]
        if not free:
            raise UsageError("no task may be done now; `rekindle tasks list` says what waits")
        return free[0]
    found = [one for one in tasks if one.entry.key.startswith(key)]
    if len(found) != 1:
        count = f"{len(found)} open tasks begin" if found else "no open task begins"
        raise UsageError(f"{count} with {key!r}; `rekindle tasks list` lists them")
    return found[0]


def take_task(workspace: Workspace, key: str, *, who: str) -> OpenTask:
    """Let a task be somebody's; return it.

    Raises:
        UsageError: there is none, somebody has it, or it may not be done now.
    """
    task = find_task(workspace, key)
    if not task.may_be_done:
        raise UsageError(f"the task {task.entry.key[:12]} {say_why_not(task, workspace.zone)}")
    Tasks(workspace.ledger).take(task.entry, workspace.clock.now(), who=who)
    return task


def say_why_not(task: OpenTask, zone: ZoneInfo) -> str:
    """Return why a task may not be done now, in one clause."""
    reason, until = task.decision.reason, task.decision.until
    if until is None:
        return f"is over: {reason}"
    return f"has to wait until {moment(until, zone)}: {reason}"


def finish_task(
    workspace: Workspace,
    key: str,
    outcome: Outcome,
    *,
    who: str,
    note: str = "",
    wants_no_more: bool = False,
) -> OpenTask:
    """Write down what came of a task; return it as it was.

    Somebody who was spoken to has answered, which journeys hear as a reply. Who
    ``wants_no_more`` has opted out, of everything.

    Raises:
        UsageError: there is no such task.
    """
    task, at = find_task(workspace, _named(key)), workspace.clock.now()
    person, signals = task.entry.person, []
    if outcome in SPOKEN:
        signals.append(Signal(person, SignalKind.REPLY, at, f"task:{task.entry.key}"))
    if wants_no_more:
        signals.append(Signal(person, SignalKind.OPT_OUT, at, f"task-stop:{task.entry.key}"))
    # Whoever loses the power here loses neither: a task that is done is asked about no more.
    with ledger_transaction(workspace.ledger):
        if signals:
            workspace.book.record(signals, at)
        Tasks(workspace.ledger).finish(task.entry, outcome, at, who=who, note=note)
    return task


def postpone_task(
    workspace: Workspace, key: str, again_at: datetime, *, who: str, note: str = ""
) -> OpenTask:
    """Put a task back, to be taken again from ``again_at`` on; return it as it was.

    Raises:
        UsageError: there is no such task, or its time is up before.
    """
    task, at = find_task(workspace, _named(key)), workspace.clock.now()
    if not at < again_at < task.entry.until:
        raise UsageError(
            f"call back between now and {task.entry.until:%Y-%m-%d}, when the task is dropped "
            "(task.open_for)"
        )
    Tasks(workspace.ledger).postpone(task.entry, again_at, at, who=who, note=note)
    return task


def _named(key: str) -> str:
    if not key:
        raise UsageError("name the task; `rekindle tasks list` lists them")
    return key


def _look(workspace: Workspace, entry: TaskEntry, at: datetime) -> Decision:
    """Return the gate's answer about a task: at once, later, or not any more."""
    standing = workspace.outbox.standing
    dossier = standing(entry.person, entry.channel, at, last_order_at=None)
    # It counts towards its own cap, and was let through it when it was decided.
    done_as = Channel(workspace.capabilities[entry.channel].is_to_the_law or entry.channel)
    hours = standing(entry.person, done_as, at, last_order_at=None).hours
    dossier = replace(dossier, sent=(), hours=hours, exit=entry.over)
    purpose = Purpose.MARKETING if entry.is_marketing else Purpose.TRANSACTIONAL
    policy = JourneyRules(purpose, LONGEST_DURATION, workspace.rules)
    decision = decide(GateContext(dossier, Send(entry.step, done_as, ""), policy, at))
    if decision.answer is Answer.SEND and entry.again_at is not None and entry.again_at > at:
        return Decision(Answer.HOLD, Reason.WAITING, entry.again_at)
    return decision
