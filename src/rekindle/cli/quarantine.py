"""The command that shows what imports set aside."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rekindle.cli.console import (
    AsJson,
    Directory,
    open_at,
    show_json,
    show_table,
)

A_PAGE, A_PAGE_OF_JSON = 20, 1_000


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command("quarantine")(quarantine)


def quarantine(
    directory: Directory = Path(),
    reason: Annotated[
        str | None, typer.Option("--reason", help="Only rows refused for this reason.")
    ] = None,
    file: Annotated[
        str | None, typer.Option("--file", help="Only rows of files with this in their name.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=0, help="How many rows to show; default 20, as JSON 1,000."),
    ] = None,
    offset: Annotated[
        int, typer.Option("--offset", min=0, help="How many rows to pass over first.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Sum up the rows that broke a contract, and list them with reason and place."""
    from rekindle.insights import read_quarantine

    engine, facts = open_at(directory, None).reading
    size = limit if limit is not None else (A_PAGE_OF_JSON if as_json else A_PAGE)
    found = read_quarantine(facts, engine.run, limit=size, offset=offset, reason=reason, file=file)
    if as_json:
        show_json(found.to_json())
        return
    if len(found.reasons) > 1 or found.total > size:
        why = [
            [f"{one.rows:,}", one.reason, f"{one.file}:{one.first_line}", one.example]
            for one in found.reasons
        ]
        show_table("Why rows were refused", ["rows", "reason", "first", "which says"], why)
    rows = [[f"{r['file']}:{r['line']}", r["reason"], r["detail"]] for r in found.rows]
    until = offset + len(rows)
    notes = []
    if rows and until < found.total:
        notes = [f"rows {offset + 1:,} to {until:,}; --offset {until} shows the next"]
    title = f"{found.total:,} rows in quarantine"
    show_table(title, ["where", "reason", "what"], rows, notes=notes)
