"""``rekindle score``: who is likely to come back by themselves, and when."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rekindle.cli.console import (
    AsJson,
    AsOf,
    Directory,
    check_writable,
    open_at,
    parse_as_of,
    progress_bar,
    show_json,
    show_table,
    show_warning,
    warn_of_refused,
    write_rows,
)
from rekindle.errors import UsageError
from rekindle.wording import counted, day, percent

SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command("score")(score)


Horizon = Annotated[
    int, typer.Option("--horizon", min=1, max=1825, metavar="DAYS", help="Within so many days.")
]
OutFile = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write every score to a .csv or .parquet file."),
]
Anyway = Annotated[
    bool, typer.Option("--anyway", help="Go on though less than a year of orders is known.")
]


def score(
    directory: Directory = Path(),
    as_of: AsOf = None,
    horizon: Horizon = 90,
    out: OutFile = None,
    as_json: AsJson = False,
    accepts_less: Anyway = False,
) -> None:
    """Estimate who of the silent comes back unprompted, and when.

    Learned from the orders known before the day and from nobody who was written to.
    """
    from rekindle.predictions import score_returns

    csv, parquet = _kind_of(out)
    check_writable(csv, "--out")
    check_writable(parquet, "--out")
    workspace = open_at(directory, None)
    at = workspace.latest() if as_of is None else parse_as_of(as_of, workspace)
    warn_of_refused(workspace)
    engine, facts = workspace.reading
    contacted = workspace.history.contacted(at) if workspace.has_ledger else frozenset[str]()
    with progress_bar() as bar:
        bar.add_task("scoring", total=None)
        found = score_returns(
            facts,
            engine.run,
            as_of=at,
            horizon_days=horizon,
            contacted=contacted,
            accepts_less=accepts_less,
        )
    for text in found.warnings:
        show_warning(text)
    if out:
        write_rows(found.rows, csv=csv, parquet=parquet)
    if as_json:
        show_json(found.to_json())
    elif not out:
        title = (
            f"{counted(found.rows.num_rows, 'person')} silent for 30 days or more, as of "
            f"{day(at, workspace.zone)}"
        )
        rows = [
            [one["customer_id"], percent(one["return_probability"]), f"{one['expected_return_on']}"]
            for one in found.rows.slice(0, SHOWN).to_pylist()
        ]
        show_table(
            title,
            ["customer", f"orders within {counted(horizon, 'day')}", "expected on, if so"],
            rows,
            notes=[
                f"Learned from {found.model.rows:,} silences of "
                f"{counted(found.learned_from, 'person')}, {found.model.returns:,} of which ended "
                "within 30 days.",
                *(
                    [f"The likeliest {SHOWN}; --out FILE writes them all."]
                    if len(rows) == SHOWN
                    else []
                ),
            ],
        )


def _kind_of(out: Path | None) -> tuple[Path | None, Path | None]:
    """Return the file as one of CSV, or of Parquet.

    Raises:
        UsageError: its name says neither.
    """
    if out is None:
        return None, None
    if out.suffix.lower() not in (".csv", ".parquet"):
        raise UsageError(f"--out: name a .csv or a .parquet file, not {out.name}")
    return (out, None) if out.suffix.lower() == ".csv" else (None, out)
