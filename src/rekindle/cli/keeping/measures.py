"""The command ``measures``: every figure of a journey, or of all, by one catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from rekindle.cli.console import (
    AsJson,
    AsOf,
    Directory,
    check_writable,
    grouped,
    name_journeys,
    open_at,
    output,
    show_json,
    show_table,
    write_rows,
)
from rekindle.errors import UsageError

ENDINGS = (".csv", ".parquet")
JourneyName = Annotated[
    str,
    typer.Argument(
        help="The journey's name; without one, all together.", autocompletion=name_journeys
    ),
]
By = Annotated[
    str,
    typer.Option(
        "--by",
        metavar="WAY",
        help="Tell people apart: journey, channel, step, variant, offer, silence, month, or what "
        "is kept as they enter: tier, value_band …",
    ),
]
OutFile = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write every figure to FILE.csv or FILE.parquet."),
]
Reactivated = Annotated[
    str,
    typer.Option(
        "--definition",
        metavar="NAME",
        help="What counts as reactivated: assigned, reached, clicked or whenever; see `reconcile`.",
    ),
]
Explain = Annotated[
    str,
    typer.Option(
        "--explain", metavar="MEASURE", help="Show its formula, window and the query behind it."
    ),
]


@dataclass(frozen=True, slots=True)
class Counting:
    """How people are counted: told apart, and as reactivated by which definition."""

    by: By = ""
    definition: Reactivated = ""


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command("measures")(grouped(measures))


def measures(
    counting: Counting,
    journey: JourneyName = "",
    directory: Directory = Path(),
    as_of: AsOf = None,
    out: OutFile = None,
    explain: Explain = "",
    as_json: AsJson = False,
) -> None:
    """Say how far people came, and what it took: reached, clicked, returned, retained, cost."""
    from rekindle.desk import explain_measure, judge_workspace, measure_journeys
    from rekindle.insights import (
        ASSIGNED,
        measure_tables,
        target_table,
        write_measure_rows,
        write_measures,
    )

    if out is not None and out.suffix.lower() not in ENDINGS:
        raise UsageError(f"--out {out} ends with neither {' nor '.join(ENDINGS)}; name one")
    if explain and (counting.by or counting.definition or out or as_json):
        raise UsageError("--explain shows a query and takes no other option; leave them out")
    check_writable(out, "--out")
    workspace = open_at(directory, as_of)
    if explain:
        text = explain_measure(workspace, explain, journey)
        output.print(text, markup=False, soft_wrap=True)
        return
    definition = counting.definition or ASSIGNED
    found = measure_journeys(workspace, journey, by=counting.by, definition=definition)
    if out is not None:
        is_csv = out.suffix.lower() == ".csv"
        rows = write_measure_rows(found)
        write_rows(rows, csv=out if is_csv else None, parquet=None if is_csv else out)
    # Targets are of all journeys together. What is measured of another day is no reading.
    is_asked = not journey and out is None
    targets = judge_workspace(workspace, measured=found, keeps=as_of is None) if is_asked else ()
    if as_json:
        aimed = {"targets": [one.to_json() for one in targets]} if targets else {}
        show_json(write_measures(found) | aimed)
        return
    tables = [*measure_tables(found)]
    if targets:
        tables.append(target_table(targets, found.currency))
    for table in tables:
        show_table(table.title, table.headers, table.rows, notes=table.notes)
