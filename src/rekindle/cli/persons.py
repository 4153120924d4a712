"""Commands about who is one person: ``people find``, ``suggest``, ``join``, ``split``, ``log``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rekindle.cli.console import AsJson, Directory, errors, open_at, show_json, show_table
from rekindle.cli.steering import MOST_OF_A_REASON, By, bounded, whoever
from rekindle.wording import moment

SCHEMA_VERSION = 1
Handle = Annotated[
    str, typer.Argument(help="A customer's id, address, telephone or loyalty number.")
]
Because = Annotated[str, typer.Option("--because", help="How you know; kept in the log.")]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    known = (one.typer_instance for one in app.registered_groups)
    group = next((one for one in known if one is not None and one.info.name == "people"), None)
    if group is None:
        group = typer.Typer(
            name="people", help="Find people, and say who is one person.", no_args_is_help=True
        )
        app.add_typer(group)
    group.command("find")(find)
    group.command("suggest")(suggest)
    group.command("join")(join)
    group.command("split")(split)
    group.command("log")(log)


def find(handle: Handle, directory: Directory = Path(), as_json: AsJson = False) -> None:
    """Show whom a handle points at, and everything else that points at them."""
    from rekindle.desk import list_people

    found = list_people(open_at(directory, None), handle)
    if as_json:
        people = [
            {"person": one.person, "handles": [{"kind": k, "value": v} for k, v in one.handles]}
            for one in found
        ]
        show_json({"version": SCHEMA_VERSION, "people": people})
        return
    for one in found:
        show_table(f"Person {one.person}", ["handle", "value"], [list(h) for h in one.handles])


def suggest(
    directory: Directory = Path(),
    by_model: Annotated[
        bool,
        typer.Option("--by-model", help="Also by a model of your cards; needs the extra splink."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List pairs who may be one person, for somebody to look at; nobody is joined."""
    from rekindle.desk import suggest_people

    found = suggest_people(open_at(directory, None), by_model=by_model)
    if as_json:
        pairs = [{"one": s.one, "other": s.other, "because": s.because} for s in found]
        show_json({"version": SCHEMA_VERSION, "suggestions": pairs})
        return
    rows = [[one.one, one.other, one.because] for one in found]
    note = "`rekindle people join ONE OTHER --because …` joins two you know to be one"
    show_table("May be one person", ["one", "other", "because"], rows, notes=[note] if rows else [])


def join(
    one: Handle, other: Handle, because: Because, directory: Directory = Path(), by: By = ""
) -> None:
    """Say that two are one person: what either asked for, got or refused is of both."""
    from rekindle.desk import join_people

    why = bounded(because, "--because", MOST_OF_A_REASON)
    kept = join_people(open_at(directory, None), one, other, because=why, who=whoever(by))
    errors.print(f"{one} and {other} are one person now: {kept}", markup=False)


def split(
    customer: Annotated[str, typer.Argument(help="The customer id that is somebody else.")],
    because: Because,
    directory: Directory = Path(),
    by: By = "",
) -> None:
    """Say that an id is a person of its own: what came with it goes back with it."""
    from rekindle.desk import split_people

    why = bounded(because, "--because", MOST_OF_A_REASON)
    id_, left = split_people(open_at(directory, None), customer, because=why, who=whoever(by))
    errors.print(
        f"{id_} is a person of its own now, and {left} another; what neither may be sent, "
        "neither is",
        markup=False,
        soft_wrap=True,
    )


def log(
    handle: Annotated[str | None, typer.Argument(help="Only of this person.")] = None,
    directory: Directory = Path(),
    as_json: AsJson = False,
) -> None:
    """List who was found to be one person, by what, and what was undone."""
    from rekindle.desk import list_joins

    workspace = open_at(directory, None)
    found = list_joins(workspace, handle)
    if as_json:
        rows = [
            {
                "gone": one.gone,
                "kept": one.kept,
                "reason": one.reason.value,
                "evidence": one.evidence,
                "at": one.at.isoformat(),
                "by": one.by,
                "undone_at": None if one.undone_at is None else one.undone_at.isoformat(),
            }
            for one in found
        ]
        show_json({"version": SCHEMA_VERSION, "joins": rows})
        return
    zone = workspace.zone
    table = [
        [
            moment(one.at, zone),
            f"{one.gone} is {one.kept}",
            one.reason.value,
            one.evidence,
            one.by,
            "" if one.undone_at is None else moment(one.undone_at, zone),
        ]
        for one in found
    ]
    headers = ["at", "who", "because", "evidence", "by", "undone"]
    show_table(f"Joins ({zone})", headers, table)
