"""The ``tasks`` commands: what people at the business are to do, and what came of it."""

from __future__ import annotations

from datetime import date, datetime, time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle.cli.console import (
    AsJson,
    Directory,
    errors,
    open_at,
    output,
    plain,
    show_json,
    show_table,
    show_warning,
)
from rekindle.cli.steering import MOST_OF_A_REASON, By, bounded, whoever
from rekindle.errors import UsageError
from rekindle.wording import moment

if TYPE_CHECKING:
    from rekindle.desk import OpenTask
    from rekindle.runtime import Workspace

SCHEMA_VERSION = 1
SHORT = 12
CALL_BACK = time(9)


class OutcomeName(StrEnum):
    """What came of a task."""

    REACHED = "reached"
    WILL_RETURN = "will_return"
    DECLINED = "declined"
    NOT_REACHED = "not_reached"
    CALL_BACK = "call_back"


TaskKey = Annotated[str, typer.Argument(help="The task's key, or how it begins.")]
Note = Annotated[str, typer.Option("--note", help="What was said; kept with the task.")]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(
        name="tasks", help="List, take and finish what people are to do.", no_args_is_help=True
    )
    group.command("list")(list_open)
    group.command("take")(take)
    group.command("done")(done)
    app.add_typer(group)


def list_open(directory: Directory = Path(), as_json: AsJson = False) -> None:
    """List the tasks nobody has done, and what each waits for."""
    from rekindle.desk import list_tasks

    workspace = open_at(directory, None)
    found = list_tasks(workspace)
    if as_json:
        show_json({"version": SCHEMA_VERSION, "tasks": [_as_json(one) for one in found]})
        return
    show_table(
        "Tasks",
        ["key", "customer", "journey", "step", "since", "until", "now"],
        [
            [
                one.entry.key[:SHORT],
                one.entry.person,
                one.entry.journey,
                one.entry.step,
                moment(one.entry.at, workspace.zone),
                moment(one.entry.until, workspace.zone),
                _now(one, workspace),
            ]
            for one in found
        ],
        notes=["`rekindle tasks take` takes the first that may be done."] if found else (),
    )


def take(
    key: Annotated[str, typer.Argument(help="The task's key, or how it begins.")] = "",
    directory: Directory = Path(),
    by: By = "",
) -> None:
    """Take a task, the first that may be done, and show what to say."""
    from rekindle.desk import take_task
    from rekindle.worker import write_letters

    workspace = open_at(directory, None)
    task = take_task(workspace, key, who=whoever(by))
    entry = task.entry
    output.print(f"{entry.key[:SHORT]}: {plain(entry.person)}", markup=False)
    if entry.note:
        output.print(plain(f"last time: {entry.note}"), markup=False)
    card = workspace.history.person(entry.person)
    if card is not None:
        reached = " · ".join(one for one in (card.phone, card.address, card.timezone) if one)
        output.print(plain(reached), markup=False)
    versions = workspace.book.versions(entry.journey)
    journey = next(one.journey for one in versions if one.version == entry.version)
    letters = write_letters(workspace, journey, workspace.clock.now(), customer=entry.person)
    for letter in letters:
        if letter.step == entry.step:
            if letter.trouble:
                show_warning(letter.trouble)
            for name in ("title", "text"):
                if letter.parts.get(name):
                    output.print(plain(letter.parts[name]), markup=False)
            break
    errors.print(f"`rekindle tasks done {entry.key[:SHORT]} OUTCOME` when it is", markup=False)


def done(
    key: TaskKey,
    outcome: Annotated[OutcomeName, typer.Argument(help="What came of it.")],
    directory: Directory = Path(),
    note: Note = "",
    on: Annotated[
        str, typer.Option("--on", metavar="DATE", help="With call_back: from this day on.")
    ] = "",
    no_more: Annotated[
        bool, typer.Option("--no-more", help="They want to hear nothing more: an opt-out.")
    ] = False,
    by: By = "",
) -> None:
    """Say what came of a task."""
    from rekindle.desk import finish_task, postpone_task
    from rekindle.ledger import Outcome

    workspace, who = open_at(directory, None), whoever(by)
    note = bounded(note, "--note", MOST_OF_A_REASON) if note else ""
    if outcome is OutcomeName.CALL_BACK:
        task = postpone_task(workspace, key, _day(on, workspace), who=who, note=note)
    elif on:
        raise UsageError("--on goes with call_back alone")
    else:
        what = Outcome(outcome.value)
        task = finish_task(workspace, key, what, who=who, note=note, wants_no_more=no_more)
    errors.print(f"{task.entry.key[:SHORT]}: {outcome}", markup=False)


def _day(text: str, workspace: Workspace) -> datetime:
    """Return the morning of a day, where the business is."""
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise UsageError("say from which day on: --on 2026-03-09") from error
    return datetime.combine(day, CALL_BACK, workspace.zone)


def _now(task: OpenTask, workspace: Workspace) -> str:
    """Return what a task waits for, in a few words."""
    from rekindle.desk import say_why_not

    if not task.may_be_done:
        return say_why_not(task, workspace.zone)
    return f"taken by {task.entry.taken_by}" if task.entry.taken_by else "may be done"


def _as_json(task: OpenTask) -> dict[str, object]:
    entry, decision = task.entry, task.decision
    return {
        "key": entry.key,
        "customer": entry.person,
        "journey": entry.journey,
        "step": entry.step,
        "at": entry.at.isoformat(),
        "until": entry.until.isoformat(),
        "taken_by": entry.taken_by or None,
        "answer": decision.answer.value,
        "reason": decision.reason.value if decision.reason else None,
        "not_before": decision.until.isoformat() if decision.until else None,
    }
