"""Commands about API keys: ``key create``, ``key list`` and ``key revoke``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from rekindle.cli.console import AsJson, Directory, errors, open_at, show_json, show_table
from rekindle.wording import day, moment

SCHEMA_VERSION = 1

KeyName = Annotated[str, typer.Argument(help="What the key is called.")]


class ScopeName(StrEnum):
    """What a key may do."""

    EVENTS = "events"
    BROWSER = "browser"
    BEHAVIOUR = "behaviour"
    METRICS = "metrics"


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(
        name="key", help="Make, list and revoke keys to the API.", no_args_is_help=True
    )
    group.command("create")(create)
    group.command("list")(list_keys)
    group.command("revoke")(revoke)
    app.add_typer(group)


def create(
    name: KeyName,
    source: Annotated[
        str,
        typer.Option("--source", help="Whom it speaks for; facts it brings belong to this source."),
    ],
    scope: Annotated[
        list[ScopeName],
        typer.Option(
            "--scope",
            help="events for servers; browser for pages and apps, where anyone can read the key; "
            "behaviour is what pages had before, without identify; metrics reads /metrics alone.",
        ),
    ] = [ScopeName.EVENTS],  # noqa: B006 - typer copies it
    directory: Directory = Path(),
    as_json: AsJson = False,
) -> None:
    """Make a key and show its secret, once."""
    from rekindle.ledger import ApiKeys, Scope

    workspace = open_at(directory, None)
    scopes = [Scope(word) for word in scope]
    at = workspace.clock.now()
    secret = ApiKeys(workspace.ledger).create(name, source=source, scopes=scopes, at=at)
    if as_json:
        show_json({"version": SCHEMA_VERSION, "name": name, "source": source, "secret": secret})
        return
    typer.echo(secret)
    errors.print("Keep it now: nothing can show it again.", style="dim")


def list_keys(directory: Directory = Path(), as_json: AsJson = False) -> None:
    """List every key there is or was, never its secret."""
    from rekindle.ledger import ApiKeys

    workspace = open_at(directory, None)
    keys, zone = ApiKeys(workspace.ledger).all(), workspace.zone
    rows = [
        {
            "name": key.name,
            "source": key.source,
            "scopes": sorted(key.scopes),
            "created_at": key.created_at.isoformat(),
            "last_used_at": key.last_used_at and key.last_used_at.isoformat(),
            "revoked_at": key.revoked_at and key.revoked_at.isoformat(),
        }
        for key in keys
    ]
    if as_json:
        show_json({"version": SCHEMA_VERSION, "keys": rows})
        return
    show_table(
        f"API keys ({zone})",
        ["name", "source", "scopes", "created", "last used", "revoked"],
        [
            [
                key.name,
                key.source,
                ", ".join(sorted(key.scopes)),
                day(key.created_at, zone),
                moment(key.last_used_at, zone) if key.last_used_at else "",
                day(key.revoked_at, zone) if key.revoked_at else "",
            ]
            for key in keys
        ],
    )


def revoke(name: KeyName, directory: Directory = Path()) -> None:
    """Make a key useless, for good; within five seconds in every process."""
    from rekindle.ledger import ApiKeys

    workspace = open_at(directory, None)
    ApiKeys(workspace.ledger).revoke(name, at=workspace.clock.now())
    errors.print(f"revoked {name}", markup=False)
