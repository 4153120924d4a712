"""The command ``watch``: whether everything is as usual."""

from __future__ import annotations

from pathlib import Path

import typer

from rekindle.cli.console import AsJson, AsOf, Directory, open_at, show_json, show_table


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command("watch")(watch)


def watch(directory: Directory = Path(), as_of: AsOf = None, as_json: AsJson = False) -> None:
    """Say whether yesterday's sends, answers, entries and orders were as usual."""
    from rekindle.insights import watch_tables, write_watch
    from rekindle.worker import watch_workspace

    workspace = open_at(directory, as_of)
    at = workspace.clock.now()
    found = watch_workspace(workspace, at)
    if as_json:
        show_json(write_watch(found, at.astimezone(workspace.zone).date()))
        return
    for table in watch_tables(found):
        show_table(table.title, table.headers, table.rows, notes=table.notes)
