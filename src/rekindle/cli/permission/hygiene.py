"""The command ``hygiene``: whom to leave alone because they do not answer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rekindle.cli.console import AsJson, Directory, errors, open_at, show_json, show_table
from rekindle.cli.steering import By, remember, whoever
from rekindle.wording import counted, moment

SCHEMA_VERSION = 1
MOST = 20


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("hygiene")(hygiene)


def hygiene(
    directory: Directory = Path(),
    apply: Annotated[
        bool, typer.Option("--apply", help="Do it; without, it is only said what would be done.")
    ] = False,
    as_json: AsJson = False,
    by: By = "",
) -> None:
    """Leave alone who does not answer, write less to who hardly does, archive the long gone.

    An answer is a click, a reply, a visit or a purchase, never an open; whatever of these
    somebody does takes it back.
    """
    from rekindle.worker import apply_hygiene, find_hygiene

    workspace = open_at(directory, None)
    at = workspace.clock.now()
    found = find_hygiene(workspace, at)
    if apply:
        apply_hygiene(workspace, found, at, who=whoever(by))
        remember(workspace)
    if as_json:
        silences = (("leave_alone", found.leave_alone), ("write_less", found.write_less))
        show_json(
            {
                "version": SCHEMA_VERSION,
                "applied": apply,
                "counts": dict(found.counts),
                **{
                    name: [
                        {
                            "customer": one.person,
                            "channel": one.channel,
                            "unanswered": one.unanswered_count,
                            "since": one.first_at.isoformat(),
                            "opened": one.opened,
                        }
                        for one in silent
                    ]
                    for name, silent in silences
                },
                "archive": list(found.archive),
                "returned": list(found.returned),
            }
        )
        return
    for title, silent in (
        ("Left alone: no answer", found.leave_alone),
        ("Written to less: they still open messages", found.write_less),
    ):
        rest = len(silent) - MOST
        show_table(
            title,
            ["customer", "channel", "unanswered", "since"],
            [
                [
                    one.person,
                    one.channel,
                    str(one.unanswered_count),
                    moment(one.first_at, workspace.zone),
                ]
                for one in silent[:MOST]
            ],
            notes=[f"and {counted(rest, 'other')}; --json lists all"] if rest > 0 else (),
        )
    archived, back = len(found.archive), len(found.returned)
    errors.print(f"archived for good: {archived:,}; back and written to again: {back:,}")
    if not apply and any(found.counts.values()):
        errors.print("Nothing was changed; --apply does it.", style="dim")
