"""The command ``starters``: lists the sequences to begin with, and copies one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rekindle.cli.console import AsJson, Directory, output, show_json, show_table, show_warning
from rekindle.wording import counted

SCHEMA_VERSION = 1


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command("starters")(starters)


def starters(
    name: Annotated[
        str, typer.Argument(help="Copy this one into the workspace; default list them.")
    ] = "",
    directory: Directory = Path(),
    as_json: AsJson = False,
) -> None:
    """List journeys to begin with, or copy one with its templates and offers."""
    if name:
        _take(directory.resolve(), name, as_json=as_json)
    else:
        _list(as_json=as_json)


def _list(*, as_json: bool) -> None:
    from rekindle.desk import list_starters

    found = list_starters()
    if as_json:
        rows = [
            {
                "name": one.name,
                "hypothesis": one.hypothesis,
                "needs": one.needs,
                "channels": list(one.channels),
            }
            for one in found
        ]
        show_json({"version": SCHEMA_VERSION, "starters": rows})
        return
    show_table(
        "Starters",
        ["starter", "channels", "needs"],
        [[one.name, ", ".join(one.channels), one.needs] for one in found],
        notes=["`rekindle starters NAME` copies one into the workspace."],
    )


def _take(directory: Path, name: str, *, as_json: bool) -> None:
    from rekindle.desk import take_starter

    taken = take_starter(directory, name)
    written = [str(path.relative_to(directory)) for path in taken.written]
    if as_json:
        lacking = list(taken.offers_missing)
        show_json({"version": SCHEMA_VERSION, "written": written, "offers_missing": lacking})
        return
    output.print(f"{counted(len(written), 'file')} written: {', '.join(written)}", markup=False)
    if taken.offers_missing:
        names = ", ".join(taken.offers_missing)
        show_warning(f"offers.yaml lacks {names}; add it, or change the journey")
    output.print(f"Next: `rekindle plan {name}`, then `rekindle replay {name}`.", markup=False)
