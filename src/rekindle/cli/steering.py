"""Commands that steer a running journey: ``pause``, ``resume``, ``stop``, ``move``, ``log``."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rekindle.cli.console import (
    AsJson,
    Directory,
    errors,
    name_journeys,
    open_at,
    show_json,
    show_table,
)
from rekindle.config import shorten
from rekindle.errors import UsageError
from rekindle.wording import counted, moment, numbered

if TYPE_CHECKING:
    from rekindle.desk import MovePlan
    from rekindle.runtime import Workspace

SCHEMA_VERSION = 1
MOST_OF_A_NAME, MOST_OF_A_REASON = 200, 1000
JourneyName = Annotated[
    str, typer.Argument(help="A journey that has started.", autocompletion=name_journeys)
]
Why = Annotated[str, typer.Option("--why", help="Kept in the log.")]
By = Annotated[str, typer.Option("--by", help="Who does it; default you.", show_default=False)]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("pause")(pause)
    app.command("resume")(resume)
    app.command("stop")(stop)
    app.command("move")(move)
    app.command("log")(log)


def whoever(by: str) -> str:
    """Return who is to be named in the log: ``by``, or the user of this session.

    Raises:
        UsageError: ``by`` is no name but a text.
    """
    if by:
        return bounded(by, "--by", MOST_OF_A_NAME)
    try:
        return os.environ.get("REKINDLE_USER") or getpass.getuser()
    except (OSError, KeyError):  # a container may run as a user without a name
        return f"uid {os.getuid()}"


def remember(workspace: Workspace) -> None:
    """Let it be known outside the ledger as well, should that be restored from a backup."""
    from rekindle.worker import Guard

    Guard(workspace).note()


def bounded(text: str, option: str, most: int) -> str:
    """Return ``text``; refuse one of more than ``most`` characters, or with control characters.

    Raises:
        UsageError: naming the option.
    """
    if len(text) > most or not text.isprintable():
        raise UsageError(
            f"{option} is {shorten(text)}; write at most {most} characters, all on one line"
        )
    return text


def pause(journey: JourneyName, directory: Directory = Path(), why: Why = "", by: By = "") -> None:
    """Hold a journey still: nobody enters, nothing is decided, nothing leaves."""
    from rekindle.desk import pause_journey

    why = bounded(why, "--why", MOST_OF_A_REASON)
    workspace = open_at(directory, None)
    is_new = pause_journey(workspace, journey, who=whoever(by), why=why)
    remember(workspace)
    already = "" if is_new else " already"
    errors.print(
        f"{journey} is paused{already}; purchases go on ending it for people", markup=False
    )


def resume(journey: JourneyName, directory: Directory = Path(), by: By = "") -> None:
    """Let a paused journey go on; what is overdue too long is skipped, the rest spread."""
    from rekindle.desk import resume_journey

    due = resume_journey(open_at(directory, None), journey, who=whoever(by))
    if due is None:
        errors.print(f"{journey} was not paused; it runs", markup=False)
    else:
        errors.print(f"{journey} goes on; {counted(due, 'person')} had fallen due", markup=False)


def stop(
    journey: JourneyName,
    directory: Directory = Path(),
    why: Why = "",
    by: By = "",
    yes: Yes = False,
) -> None:
    """End a journey for everyone in it; nobody is written to any more."""
    from rekindle.desk import stop_journey

    workspace = open_at(directory, None)
    if not yes and not typer.confirm(f"End {journey} for everyone in it?", err=True):
        raise UsageError("nothing was stopped")
    why = bounded(why, "--why", MOST_OF_A_REASON)
    ended = stop_journey(workspace, journey, who=whoever(by), why=why)
    remember(workspace)
    if ended is None:
        errors.print(f"{journey} was stopped already", markup=False)
    else:
        errors.print(f"{journey} is stopped; it ended for {counted(ended, 'person')}", markup=False)


def move(
    journey: JourneyName,
    directory: Directory = Path(),
    as_json: AsJson = False,
    by: By = "",
    yes: Yes = False,
) -> None:
    """Move people to the newest version; lists first who stands at a step that is gone."""
    from rekindle.desk import move_people, plan_move

    workspace = open_at(directory, None)
    plan = plan_move(workspace, journey)
    if as_json:
        show_json(_as_json(plan))
    else:
        _show(plan)
    if not plan.moving:
        errors.print("nobody is to be moved")
        return
    if not yes and not typer.confirm(f"Move {counted(plan.moving, 'person')}?", err=True):
        raise UsageError("nobody was moved")
    moved = move_people(workspace, plan, who=whoever(by))
    errors.print(
        f"{counted(moved, 'person')} {numbered(moved, 'is')} in version {plan.version} now",
        markup=False,
    )


def log(
    subject: Annotated[
        str | None, typer.Argument(help="A journey, customer or message; none for all.")
    ] = None,
    directory: Directory = Path(),
    last: Annotated[int, typer.Option("--last", min=1, max=100_000, help="How many entries.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Say who did what and when, the newest first."""
    workspace = open_at(directory, None)
    entries = workspace.audit_log.entries(subject, last)
    if as_json:
        rows = [
            {
                "at": one.at.isoformat(),
                "who": one.who,
                "action": one.action,
                "subject": one.subject,
                "detail": dict(one.detail),
            }
            for one in entries
        ]
        show_json({"version": SCHEMA_VERSION, "entries": rows})
        return
    show_table(
        "Log",
        [f"when ({workspace.zone})", "who", "what", "to", "detail"],
        [
            [
                moment(one.at, workspace.zone),
                one.who,
                one.action,
                one.subject,
                _tell(one.detail),
            ]
            for one in entries
        ],
    )


def _tell(detail: Mapping[str, Any]) -> str:
    """Return in words what an entry says; why a figure is unknown is in the JSON."""
    return ", ".join(
        f"{name} {'unknown' if isinstance(value, dict) and 'unknown' in value else value}"
        for name, value in detail.items()
        if value not in (None, "", [])
    )


def _show(plan: MovePlan) -> None:
    rows = [
        [
            f"{one.version}",
            one.step,
            f"{one.people:,}",
            one.to_step if one.to_step is not None else "gone: they stay in their version",
        ]
        for one in plan.standing
    ]
    title = f"Moving {plan.journey} to version {plan.version}"
    show_table(title, ["version", "at step", "people", "would stand at"], rows)


def _as_json(plan: MovePlan) -> dict[str, object]:
    return {
        "version": SCHEMA_VERSION,
        "journey": plan.journey,
        "to_version": plan.version,
        "moving": plan.moving,
        "staying": plan.staying,
        "standing": [
            {
                "version": one.version,
                "step": one.step,
                "people": one.people,
                "to_step": one.to_step,
            }
            for one in plan.standing
        ],
    }
