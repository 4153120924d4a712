"""The command ``holdout``: what all marketing journeys earned together."""

from __future__ import annotations

from pathlib import Path

import typer

from rekindle.cli.console import AsJson, AsOf, Directory, open_at, show_json, show_table


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command("holdout")(holdout)


def holdout(directory: Directory = Path(), as_of: AsOf = None, as_json: AsJson = False) -> None:
    """Say what all marketing journeys earned together, against people who got nothing."""
    from rekindle.desk import report_programme
    from rekindle.insights import programme_tables

    found = report_programme(open_at(directory, as_of))
    if as_json:
        show_json(found.to_json())
        return
    for table in programme_tables(found):
        show_table(table.title, table.headers, table.rows, notes=table.notes)
