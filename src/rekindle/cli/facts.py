"""Commands that bring facts in: ``init`` and ``import``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle.cli.console import (
    AsJson,
    Directory,
    errors,
    open_at,
    output,
    plain,
    progress_bar,
    refuse_nan,
    show_json,
    show_table,
)
from rekindle.errors import SourceError, WorkspaceError

if TYPE_CHECKING:
    from rekindle.facts import FileImport, Proposal
    from rekindle.runtime import Workspace

SCHEMA_VERSION = 1
BAD_ROWS = 2


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("init")(init)
    app.command("import")(import_facts)


def init(
    directory: Annotated[Path, typer.Argument(help="The folder of the new workspace.")],
    orders: Annotated[
        Path | None, typer.Option("--orders", help="A file of orders or order lines.")
    ] = None,
    customers: Annotated[
        Path | None, typer.Option("--customers", help="A file of customers and their consent.")
    ] = None,
    name: Annotated[str, typer.Option(help="The name people know the business by.")] = "My shop",
    currency: Annotated[str, typer.Option(help="ISO 4217 code of the amounts.")] = "GBP",
    timezone: Annotated[str, typer.Option(help="IANA zone of the business.")] = "UTC",
    yes: Annotated[bool, typer.Option("--yes", help="Take the proposal without asking.")] = False,
) -> None:
    """Look at a file of orders, propose what is what, and create a workspace."""
    from rekindle.desk import Scaffold, create_workspace, source_path
    from rekindle.facts import propose_source

    directory = directory.resolve()
    if (directory / "rekindle.toml").exists():
        raise WorkspaceError(f"{directory} is a workspace already; edit its rekindle.toml")
    files = [(kind, path) for kind, path in (("orders", orders), ("customers", customers)) if path]
    sources = []
    for kind, path in files:
        proposal = propose_source(path, zone=timezone)
        _show_proposal(path, proposal)
        if (kind == "customers") != (proposal.table == "customers"):
            raise SourceError(f"{path} looks like {proposal.table}, not {kind}")
        if not yes and not typer.confirm("Take this?", default=True, err=True):
            raise SourceError(
                "nothing was written; take it with --yes and correct [sources.columns] in "
                "rekindle.toml, or rename the columns in the file"
            )
        sources.append(proposal.as_source(kind, source_path(path, directory)))
    scaffold = Scaffold(name, currency.upper(), timezone, tuple(sources))
    create_workspace(directory, scaffold)
    errors.print(f"created {directory}", markup=False)
    if sources:
        _run_import(open_at(directory, None), as_json=False, tolerate=0.0)
        errors.print(f"next: rekindle audit -C {directory}", markup=False)


def import_facts(
    directory: Directory = Path(),
    source: Annotated[
        list[str] | None, typer.Option("--source", help="Only this source; may be repeated.")
    ] = None,
    tolerate: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            callback=refuse_nan,
            help="Share of rows that may go to quarantine before the exit code is 2.",
        ),
    ] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Import the configured sources into the lake."""
    workspace = open_at(directory, None)
    _run_import(workspace, as_json=as_json, tolerate=tolerate, only=tuple(source or ()))


def _run_import(
    workspace: Workspace, *, as_json: bool, tolerate: float, only: tuple[str, ...] = ()
) -> None:
    with progress_bar() as bar:
        task = bar.add_task("importing", total=None)
        found = workspace.import_facts(
            only=only, progress=lambda text: bar.update(task, description=plain(text))
        )
    if as_json:
        show_json({"version": SCHEMA_VERSION, "files": [_as_json(one) for one in found]})
    else:
        _show_imports(found)
    refused, read = sum(one.quarantined for one in found), sum(one.read for one in found)
    if refused > tolerate * read:
        errors.print(
            f"error: {refused:,} of {read:,} rows went to quarantine"
            + ("; the others were imported. " if refused < read else ". ")
            + "`rekindle quarantine` lists them; mend the file and import it again, or pass "
            "--tolerate SHARE",
            style="bold red",
            markup=False,
            soft_wrap=True,
        )
        raise typer.Exit(BAD_ROWS)


def _show_imports(found: list[FileImport]) -> None:
    rows = [
        [
            one.file,
            one.table,
            f"{one.read:,}",
            f"{one.quarantined:,}",
            f"{one.anonymous:,}",
            f"{one.added:,}",
            f"{one.changed:,}",
        ]
        for one in found
    ]
    headers = ["file", "as", "rows read", "quarantined", "no customer", "new", "changed"]
    show_table("Imported", headers, rows)
    for one in found:
        for reason, count in one.reasons.items():
            errors.print(f"{one.file}: {count:,} × {reason}", markup=False)
        for example in one.examples:
            errors.print(f"  {example}", markup=False, soft_wrap=True)
        for note in one.notes:
            errors.print(f"note: {note}", markup=False, soft_wrap=True)


def _as_json(one: FileImport) -> dict[str, object]:
    return {
        "source": one.source,
        "file": one.file,
        "table": one.table,
        "read": one.read,
        "quarantined": one.quarantined,
        "anonymous": one.anonymous,
        "added": one.added,
        "changed": one.changed,
        "reasons": one.reasons,
        "notes": list(one.notes),
    }


def _show_proposal(path: Path, proposal: Proposal) -> None:
    rows = [[one.name, one.column, ", ".join(one.samples[:3]), one.why] for one in proposal.columns]
    table = proposal.table.replace("_", " ")
    known = f"{proposal.preset} ({table})" if proposal.preset else table
    title = f"{path.name} looks like {known}"
    show_table(title, ["it is", "column", "for example", "because"], rows)
    for note in proposal.notes:
        output.print(f"note: {note}", markup=False)
