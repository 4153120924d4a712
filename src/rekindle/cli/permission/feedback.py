"""The command ``feedback``: why people left."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rekindle.cli.console import AsJson, Directory, open_at, show_json, show_table
from rekindle.config import parse_duration
from rekindle.errors import UsageError
from rekindle.wording import counted, moment, percent

SCHEMA_VERSION = 1
MOST_WORDS = 20
Within = Annotated[
    str | None,
    typer.Option("--within", metavar="DURATION", help="Of the last while alone, like '90 days'."),
]
ByColumn = Annotated[
    str,
    typer.Option("--by", metavar="COLUMN", help="Count by a profile column too, like tier."),
]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("feedback")(feedback)


def feedback(
    directory: Directory = Path(),
    within: Within = None,
    by: ByColumn = "",
    as_json: AsJson = False,
) -> None:
    """Show why people left, as they said when they were asked, with the words they added.

    Each person counts once, by their newest answer. Words of who was erased are gone.
    """
    from rekindle.desk import tell_why

    workspace = open_at(directory, None)
    at, zone = workspace.clock.now(), workspace.zone
    try:
        since = None if within is None else at - parse_duration(within)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"--within: {error}") from error
    themes = tell_why(workspace, at, since=since, by=by)
    people = sum(one.count for one in themes)
    if as_json:
        show_json(
            {
                "version": SCHEMA_VERSION,
                "people": people,
                "by": by or None,
                "reasons": [
                    {
                        "reason": one.reason.value,
                        "count": one.count,
                        "share": round(one.count / people, 4),
                        "by_segment": dict(one.by_segment),
                        "words": [
                            {"at": said_at.isoformat(), "words": words}
                            for said_at, words in one.words
                        ],
                    }
                    for one in themes
                ],
            }
        )
        return
    show_table(
        f"Why {counted(people, 'person')} left",
        ["reason", "people", "share", *([by] if by else [])],
        [
            [
                one.reason.value.replace("_", " "),
                str(one.count),
                percent(one.count / people),
                *([", ".join(f"{n} {c}" for n, c in one.by_segment.items())] if by else []),
            ]
            for one in themes
        ],
    )
    said = [(at, one.reason, words) for one in themes for at, words in one.words]
    said.sort(key=lambda each: each[0], reverse=True)
    rest = len(said) - MOST_WORDS
    show_table(
        "In their words",
        ["when", "reason", "words"],
        [
            [moment(at, zone), reason.value.replace("_", " "), words]
            for at, reason, words in said[:MOST_WORDS]
        ],
        notes=[f"and {counted(rest, 'other')}; --json lists all"] if rest > 0 else (),
    )
