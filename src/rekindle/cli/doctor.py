"""``rekindle doctor``: everything a workspace depends on, in one place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle.cli.console import AsJson, Directory, errors, open_at, show_json, show_table

if TYPE_CHECKING:
    from rekindle.worker import Line

SCHEMA_VERSION = 1
REFUSED, WARNED = 1, 3


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command("doctor")(doctor)


Offline = Annotated[bool, typer.Option("--offline", help="Ask nobody else: no DNS, no provider.")]


def doctor(
    directory: Directory = Path(), as_json: AsJson = False, is_offline: Offline = False
) -> None:
    """Look at everything the workspace depends on; say what is wrong and what to do.

    Where messages reach people, DNS is asked about the sender's domain, and whoever takes them
    whether they take the key or the login, for a few seconds; nothing is sent.

    Exit code 0: all is well. 3: something is worth a look. 1: something keeps messages back.
    Nothing is changed.
    """
    from rekindle.worker import State, examine, worst_of

    lines = examine(open_at(directory, None), looks_outside=not is_offline)
    worst = worst_of(lines)
    if as_json:
        show_json({"version": SCHEMA_VERSION, "state": worst.value, "lines": _as_json(lines)})
    else:
        marks = {State.WELL: "well", State.WARNS: "look", State.REFUSES: "WRONG"}
        rows = [[line.about, marks[line.state], line.words] for line in lines]
        show_table("Doctor", ["", "", "what was found"], rows)
    if worst is not State.WELL:
        count = sum(line.state is not State.WELL for line in lines)
        errors.print(f"{count} of {len(lines)} need a look", style="bold")
        raise typer.Exit(REFUSED if worst is State.REFUSES else WARNED)


def _as_json(lines: list[Line]) -> list[dict[str, str]]:
    return [
        {
            "about": line.about,
            "state": line.state.value,
            "found": line.found,
            "remedy": line.remedy,
        }
        for line in lines
    ]
