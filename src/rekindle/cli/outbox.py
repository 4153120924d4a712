"""The ``outbox`` commands: what is stuck on its way out, and what becomes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rekindle.cli.console import AsJson, Directory, errors, open_at, show_json, show_table
from rekindle.cli.steering import By, whoever
from rekindle.wording import moment

SCHEMA_VERSION = 1
SHORT = 12
OutletName = Annotated[str, typer.Argument(help="The outlet, as `rekindle status` names it.")]
MessageKey = Annotated[str, typer.Argument(help="The message's key, or how it begins.")]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(
        name="outbox", help="List and resolve what is stuck on its way out.", no_args_is_help=True
    )
    group.command("list")(list_stuck)
    group.command("sent")(sent)
    group.command("retry")(retry)
    group.command("resume")(resume)
    app.add_typer(group)


def list_stuck(directory: Directory = Path(), as_json: AsJson = False) -> None:
    """List the messages that need a person: of unknown fate, refused or given up."""
    workspace = open_at(directory, None)
    stuck = workspace.outbox.stuck()
    if as_json:
        rows = [
            {
                "key": one.key,
                "customer": one.person,
                "journey": one.journey,
                "step": one.step,
                "state": one.state.value,
                "reason": one.reason.value if one.reason else None,
                "attempts": one.attempts,
                "error": one.error,
                "at": one.at.isoformat(),
            }
            for one in stuck
        ]
        show_json({"version": SCHEMA_VERSION, "messages": rows})
        return
    show_table(
        "Stuck messages",
        [
            "key",
            "customer",
            "journey",
            "step",
            "state",
            "tried",
            f"last ({workspace.zone})",
            "what happened",
        ],
        [
            [
                one.key[:SHORT],
                one.person,
                one.journey,
                one.step,
                one.state.value,
                f"{one.attempts}",
                moment(one.at, workspace.zone),
                one.error,
            ]
            for one in stuck
        ],
        notes=["`rekindle outbox sent KEY` if it arrived, `rekindle outbox retry KEY` if not."]
        if stuck
        else ["Nothing is stuck."],
    )


def sent(key: MessageKey, directory: Directory = Path(), by: By = "") -> None:
    """Say that a message of unknown fate did arrive; it is not sent again."""
    _resolve(directory, key, is_sent=True, by=by)


def retry(key: MessageKey, directory: Directory = Path(), by: By = "") -> None:
    """Say that a message did not arrive; it is sent if it still may be."""
    _resolve(directory, key, is_sent=False, by=by)


def resume(outlet: OutletName, directory: Directory = Path(), by: By = "") -> None:
    """Let messages leave again by an outlet that was stopped; say this once it is mended.

    The next pass sends one message, and the others once its provider took that.
    """
    from rekindle.ledger import Stops

    workspace = open_at(directory, None)
    at = workspace.clock.now()
    stop = Stops(workspace.ledger).resume(outlet, at, who=whoever(by))
    errors.print(
        f"{stop.outlet} is resumed; it was stopped because: {stop.reason}\n"
        "The next pass tries it out by one message.",
        markup=False,
    )


def _resolve(directory: Path, key: str, *, is_sent: bool, by: str) -> None:
    workspace = open_at(directory, None)
    at = workspace.clock.now()
    found = workspace.outbox.resolve(key, sent=is_sent, at=at, who=whoever(by))
    why = f" ({found.reason.value})" if found.reason else ""
    errors.print(
        f"message {found.key[:SHORT]} to {found.person} is {found.state.value} now{why}",
        markup=False,
    )
