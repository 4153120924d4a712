"""Commands about what the team is told: ``alerts test``."""

from __future__ import annotations

from pathlib import Path

import typer

from rekindle.cli.console import Directory, errors, open_at
from rekindle.errors import UsageError, WorkError
from rekindle.wording import counted


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(name="alerts", help="What the team is told of.", no_args_is_help=True)
    group.callback()(_alerts)
    group.command("test")(try_urls)
    app.add_typer(group)


def _alerts() -> None:
    """Keep `test` a command of its own, though it is the only one."""


def try_urls(directory: Directory = Path()) -> None:
    """Send a message to every URL of REKINDLE_ALERT_URLS."""
    from rekindle.worker import read_alert_urls, tell_team

    workspace = open_at(directory, None)
    urls = read_alert_urls()
    if not urls:
        raise UsageError(
            "REKINDLE_ALERT_URLS is empty; set it, or REKINDLE_ALERT_URLS_FILE, to URLs like "
            "slack://… or mailto://…"
        )
    name = workspace.config.workspace.name
    if not tell_team(urls, f"{name}: a test", "Alerts of Rekindle arrive here."):
        raise WorkError("a server did not take it; try the URLs of REKINDLE_ALERT_URLS one by one")
    errors.print(f"told at {counted(len(urls), 'URL')}")
