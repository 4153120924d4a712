"""Commands that run things: ``tick``, ``worker``, ``up``, and what a restore asks for."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle.cli.console import (
    AsJson,
    AsOf,
    Directory,
    errors,
    open_at,
    refuse_nan,
    show_json,
    show_table,
)
from rekindle.cli.journeys import refuse_time_travel
from rekindle.cli.process.stopping import until_stopped
from rekindle.cli.steering import By, whoever
from rekindle.wording import counted, moment, numbered

if TYPE_CHECKING:
    from rekindle.worker import Pass

SCHEMA_VERSION = 1
Every = Annotated[
    float,
    typer.Option(
        "--every", min=1, max=86_400, callback=refuse_nan, help="Seconds between two passes."
    ),
]


class Schema(StrEnum):
    """The files a schema is published for."""

    CONFIG = "rekindle"
    JOURNEY = "journey"


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("tick")(tick)
    app.command("worker")(worker)
    app.command("up")(up)
    app.command("accept-restored")(accept_restored)
    app.command("accept-secret")(accept_secret)
    app.command("schema")(schema)


def tick(directory: Directory = Path(), as_of: AsOf = None, as_json: AsJson = False) -> None:
    """Make one pass: see who returned, let people enter, decide, send."""
    from rekindle.desk import read_daily
    from rekindle.worker import Worker

    workspace = open_at(directory, as_of)
    refuse_time_travel(workspace, as_of)
    worker = Worker(workspace, read=read_daily)
    done = worker.tick()
    worker.finish()
    if as_json:
        show_json(_as_json(done))
    else:
        _show(done)
    if done.sent.trouble:
        errors.print(f"error: delivery failed: {done.sent.trouble}", style="bold red", markup=False)
        raise typer.Exit(1)


def worker(directory: Directory = Path(), every: Every = 60) -> None:
    """Keep passing until stopped."""
    from rekindle.desk import read_daily
    from rekindle.worker import Worker

    worker = Worker(open_at(directory, None), read=read_daily)
    worker.run(every_seconds=every, is_stopping=until_stopped())


def up(directory: Directory = Path(), every: Every = 60) -> None:
    """Run the portal, the API and the worker in one process."""
    from rekindle.web import serve

    serve(open_at(directory, None), every_seconds=every, is_stopping=until_stopped())


def accept_restored(directory: Directory = Path(), by: By = "") -> None:
    """Go on with a ledger restored from a backup, after recording the opt-outs it lacks.

    Journeys end for everyone who may have been written to since the backup.
    """
    from rekindle.worker import accept_restored as accept

    workspace = open_at(directory, None)
    accepted = accept(workspace, who=whoever(by))
    if accepted is None:
        errors.print("This ledger lacks nothing that was sent from here.")
        return
    gap, zone = accepted.gap, workspace.zone
    errors.print(
        f"accepted; {moment(gap.since, zone)} to {moment(gap.until, zone)} ({zone}) is not on "
        f"record. {counted(accepted.entered, 'person')} {numbered(accepted.entered, 'was')} "
        f"counted in, and journeys ended for {counted(accepted.ended, 'person')}",
        markup=False,
    )
    if accepted.codes:
        errors.print(
            f"{counted(accepted.codes, 'code')} of offers {numbered(accepted.codes, 'was')} set "
            "aside, for somebody may have them; load codes that were never loaded before",
            markup=False,
        )
    said = accepted.said
    if said.counts:
        again = ", ".join(f"{count:,} {kind}" for kind, count in said.counts.items())
        errors.print(f"said again, as it was written down outside the ledger: {again}")
    if said.strangers:
        errors.print(
            f"{said.strangers:,} more {numbered(said.strangers, 'is')} of people whom neither "
            "ledger nor facts know"
        )
    for name in said.missing:
        errors.print(
            f"{name} was started since and is not on record; starting it again writes to its "
            "people again",
            markup=False,
        )


def accept_secret(directory: Directory = Path(), by: By = "") -> None:
    """Go on with another secret than the ledger was written with, when that one is lost.

    Links in messages that have left work no more; opt-outs of addresses that no card has
    bind nobody but the person they are of.
    """
    from rekindle.worker import accept_secret as accept

    cost = accept(open_at(directory, None), who=whoever(by))
    if cost is None:
        errors.print("The ledger knows the present secret; there is nothing to accept.")
        return
    errors.print(
        f"accepted: {cost.cards:,} cards were hashed anew; {cost.carried:,} suppressed addresses "
        f"were carried over, {cost.lost:,} stay with their person alone. Unsubscribe links and "
        "plans that were signed before are no longer known",
        markup=False,
    )


def schema(of: Annotated[Schema, typer.Argument(help="Which file it describes.")]) -> None:
    """Print the JSON Schema of rekindle.toml or of a journey file."""
    from rekindle.config import config_model
    from rekindle.journeys import journey_schema

    document = journey_schema() if of is Schema.JOURNEY else config_model().model_json_schema()
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


def _show(done: Pass) -> None:
    rows = [["came back", f"{done.returned:,}"], ["entered", f"{done.decided.entered:,}"]]
    rows += [
        [f"decided: {answer}" + (f" ({reason})" if reason else ""), f"{count:,}"]
        for (answer, reason), count in sorted(done.decided.decisions.items(), key=str)
    ]
    rows += [[f"messages {name}", f"{count:,}"] for name, count in done.sent.outcomes.items()]
    show_table("One pass", ["", "people"], rows)
    for journey, why in done.decided.closed.items():
        errors.print(f"nobody can enter {journey}: {why}", style="bold red", markup=False)


def _as_json(done: Pass) -> dict[str, object]:
    return {
        "version": SCHEMA_VERSION,
        "returned": done.returned,
        "entered": done.decided.entered,
        "decisions": [
            {"answer": answer, "reason": reason, "count": count}
            for (answer, reason), count in done.decided.decisions.items()
        ],
        "messages": dict(done.sent.outcomes),
        "trouble": done.sent.trouble,
        "closed": dict(done.decided.closed),
    }
