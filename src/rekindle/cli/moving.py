"""``rekindle move-ledger``: from the file it began with to PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from rekindle.cli.console import Directory, errors, open_at, output, plain, progress_bar
from rekindle.cli.steering import By, whoever


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command("move-ledger")(move_ledger)


def move_ledger(
    to: Annotated[
        str,
        typer.Argument(help="An empty PostgreSQL database, like postgresql://USER@HOST/NAME."),
    ],
    source: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="URL", help="The SQLite ledger, where ledger.url names it no more."
        ),
    ] = None,
    directory: Directory = Path(),
    by: By = "",
) -> None:
    """Move the ledger from SQLite to PostgreSQL, all of it, while nobody uses it.

    The old one is kept and closed: nothing is ever sent from it again. Killed at any moment,
    the same command goes on.
    """
    from rekindle.ledger import move_ledger as move

    workspace = open_at(directory, None)
    with progress_bar() as bar:
        task = bar.add_task("moving", total=None)
        moved = move(
            source or workspace.config.ledger.url,
            to,
            base=workspace.directory,
            at=workspace.clock.now(),
            who=whoever(by),
            progress=lambda text: bar.update(task, description=plain(text)),
        )
    if moved is None:
        errors.print("The ledger is there already; nothing was moved.")
    elif moved.rows is None:
        errors.print("The move is finished: its rows were there, and now it may be used.")
    else:
        errors.print(f"moved {moved.rows:,} rows, each compared with what it was")
    if workspace.config.ledger.url.startswith("sqlite:"):
        output.print("Now let rekindle.toml name it; until then nothing is sent:")
        output.print(f'\n[ledger]\nurl = "{_nameable(to)}"', markup=False, soft_wrap=True)


def _nameable(url: str) -> str:
    """Return a URL without its password, which does not belong in a file of settings."""
    parts = urlsplit(url)
    return url if parts.password is None else url.replace(f":{parts.password}@", "@", 1)
