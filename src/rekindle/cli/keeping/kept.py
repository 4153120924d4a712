"""The command that says what is kept for who left: ``kept``."""

from __future__ import annotations

from pathlib import Path

import typer

from rekindle.cli.console import AsJson, Directory, open_at, output, show_json, show_table


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("kept")(kept)


def kept(directory: Directory = Path(), as_json: AsJson = False) -> None:
    """Show what is kept for who left, and what those found who came back."""
    from rekindle.desk import report_kept

    workspace = open_at(directory, None)
    found = report_kept(workspace)
    if as_json:
        show_json(found.to_json())
        return
    if not workspace.config.subscriptions.kept.what and not any(found.standing.values()):
        output.print("Nothing is said to be kept: `what` in [subscriptions.kept] says it.")
    standing, returns = found.lines
    show_table("Kept for who left", ["what became of it", "people"], standing)
    show_table("Who came back", ["what they found", "returns"], returns)
    if found.waiting:
        told = f"Your system did not take {found.waiting} of what it was asked: {found.why}"
        output.print(told, markup=False)
