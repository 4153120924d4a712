"""The command that brings what a biller has in: ``pull``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rekindle.cli.console import AsJson, Directory, open_at, plain, progress_bar
from rekindle.cli.facts import show_files

if TYPE_CHECKING:
    from rekindle.facts import FileImport
    from rekindle.runtime import Workspace


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("pull")(pull)


def pull(directory: Directory = Path(), as_json: AsJson = False) -> None:
    """List all that the biller has, and import it; killed, it goes on from there."""
    show_files(pull_from(open_at(directory, None)), as_json=as_json)


def pull_from(workspace: Workspace) -> list[FileImport]:
    """Bring what the biller has into the lake; return what each table gave."""
    from rekindle.billing import pull_facts
    from rekindle.worker import heard_since

    with progress_bar() as bar:
        task = bar.add_task("listing", total=None)
        return pull_facts(
            workspace.config.billing,
            workspace.directory,
            now=workspace.clock.now(),
            bring=workspace.import_from,
            heard=lambda since: heard_since(workspace, since),
            progress=lambda text: bar.update(task, description=plain(text)),
        )
