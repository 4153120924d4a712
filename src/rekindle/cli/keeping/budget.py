"""The command ``budget``: what money earned where, and whether some belongs elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rekindle.cli.console import AsJson, AsOf, Directory, open_at, show_json, show_table

By = Annotated[
    str,
    typer.Option(
        "--by",
        metavar="COLUMN",
        help="Tell the people of each journey apart, by tier, value_band or what else is kept.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command("budget")(budget)


def budget(
    directory: Directory = Path(), as_of: AsOf = None, by: By = "", as_json: AsJson = False
) -> None:
    """Say what each unit of money earned in every journey, and what to move."""
    from rekindle.desk import advise_budget
    from rekindle.insights import budget_tables

    found = advise_budget(open_at(directory, as_of), by=by)
    if as_json:
        show_json(found.to_json())
        return
    for table in budget_tables(found):
        show_table(table.title, table.headers, table.rows, notes=table.notes)
