"""``rekindle overrule``: let messages leave in spite of what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from rekindle.cli.console import (
    AsJson,
    Directory,
    errors,
    grouped,
    name_journeys,
    open_at,
    parse_as_of,
    show_json,
)
from rekindle.cli.steering import MOST_OF_A_REASON, By, bounded, remember, whoever
from rekindle.errors import UsageError
from rekindle.wording import counted, moment, numbered


@dataclass(frozen=True, slots=True)
class Overruled:
    """What is overruled, why and until when."""

    until: Annotated[
        str | None,
        typer.Option("--until", metavar="DATE", help="The last day of it; then stops hold again."),
    ] = None
    why: Annotated[str, typer.Option("--why", help="Kept in the log and told in the report.")] = ""
    message: Annotated[
        str, typer.Option("--message", help="One message of the journey; all if not given.")
    ] = ""
    subgroup: Annotated[
        str,
        typer.Option(
            "--subgroup", help="One declared subgroup, as 'tier = dormant'; all if not given."
        ),
    ] = ""
    end: Annotated[bool, typer.Option("--end", help="Let all stops hold again now.")] = False


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command("overrule")(grouped(overrule))


def overrule(
    journey: Annotated[
        str, typer.Argument(help="A journey that has started.", autocompletion=name_journeys)
    ],
    asked: Overruled,
    directory: Directory = Path(),
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Let messages leave that were measured not to pay, until a day; the stops hold after it."""
    from rekindle.desk import let_stops_hold, overrule_stops
    from rekindle.gate import Overrule

    who, why = whoever(by), bounded(asked.why.strip(), "--why", MOST_OF_A_REASON)
    if asked.end and (asked.until or why or asked.message or asked.subgroup):
        raise UsageError("--end ends every overrule of the journey: leave the others out")
    if not asked.end and not (asked.until and why):
        raise UsageError("give --until a day and --why; --end lets the stops hold again")
    workspace = open_at(directory, None)
    if asked.end:
        ended = let_stops_hold(workspace, journey, who=who)
        remember(workspace)
        if as_json:
            show_json({"version": 1, "journey": journey, "ended": ended})
        else:
            told = f"{counted(ended, 'overrule')} {numbered(ended, 'is')} ended"
            errors.print(f"{told}; the stops of {journey} hold", markup=False)
        return
    until = parse_as_of(asked.until or "", workspace)
    made = Overrule(journey, who, why, workspace.clock.now(), until, asked.subgroup, asked.message)
    overrule_stops(workspace, made)
    remember(workspace)
    if as_json:
        show_json({"version": 1, "journey": journey, "until": until.isoformat()})
        return
    what = asked.message or "every message"
    of = f" to {asked.subgroup}" if asked.subgroup else ""
    day = moment(until, workspace.zone)
    errors.print(f"{journey} sends {what}{of} until {day}, whatever was measured", markup=False)
