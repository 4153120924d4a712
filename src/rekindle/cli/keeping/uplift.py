"""The command ``uplift``: whom an experiment's message moves, and whether to rely on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from rekindle.cli.console import (
    AsJson,
    check_writable,
    grouped,
    kind_of_file,
    show_json,
    show_table,
    write_rows,
)
from rekindle.errors import UsageError


@dataclass(frozen=True, slots=True)
class UpliftColumns:
    """Which columns say what."""

    arm: Annotated[str, typer.Option("--arm", help="The column that names the arm.")]
    control: Annotated[str, typer.Option("--control", help="What it holds for the control.")]
    outcome: Annotated[
        list[str], typer.Option("--outcome", help="A column of numbers or yes/no; repeat it.")
    ]
    by: Annotated[
        list[str],
        typer.Option("--by", help="A column that was known before the draw; repeat it."),
    ]
    unit: Annotated[
        str | None, typer.Option("--id", help="A column in which nobody may stand twice.")
    ] = None


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command("uplift")(grouped(uplift))


def uplift(
    file: Annotated[Path, typer.Argument(help="A CSV or Parquet file, one row a person.")],
    named: UpliftColumns,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write each row's uplift to .csv or .parquet."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say whom an experiment's arms move, and whether people may be left out on that word."""
    from rekindle.facts import TrialQuestion
    from rekindle.insights import measure_uplift, uplift_tables

    _check(named)
    csv, parquet = kind_of_file(out, "--out")
    check_writable(csv, "--out")
    check_writable(parquet, "--out")
    question = TrialQuestion(
        path=file,
        arm=named.arm,
        control=named.control.strip(),
        outcomes=list(dict.fromkeys(named.outcome)),
        unit=named.unit,
        by=list(dict.fromkeys(named.by)),
    )
    found = measure_uplift(question)
    if out:
        write_rows(found.rows(), csv=csv, parquet=parquet)
    if as_json:
        show_json(found.to_json())
    elif not out:
        for table in uplift_tables(found):
            show_table(table.title, table.headers, table.rows, notes=table.notes)


def _check(named: UpliftColumns) -> None:
    """Refuse columns that cannot be what they are named as.

    Raises:
        UsageError: the arm or an outcome is named as known before the draw.
    """
    if named.arm in named.outcome:
        raise UsageError(f"{named.arm!r} is the arm and cannot be an outcome as well")
    for name in (named.arm, *named.outcome):
        if name in named.by:
            raise UsageError(
                f"{name!r} was not known before the draw, so nobody can be told apart by it"
            )
