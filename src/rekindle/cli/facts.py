"""The command that brings facts in: ``import``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle.cli.console import (
    AsJson,
    Directory,
    errors,
    open_at,
    plain,
    progress_bar,
    refuse_nan,
    show_json,
    show_table,
)

if TYPE_CHECKING:
    from rekindle.facts import FileImport
    from rekindle.runtime import Workspace

SCHEMA_VERSION = 1
BAD_ROWS = 2


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("import")(import_facts)


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
    run_import(workspace, as_json=as_json, tolerate=tolerate, only=tuple(source or ()))


def run_import(
    workspace: Workspace, *, as_json: bool, tolerate: float, only: tuple[str, ...] = ()
) -> None:
    """Import with a bar, show what came of it, and exit with 2 where rows were refused."""
    from rekindle.worker import bring_notices

    with progress_bar() as bar:
        task = bar.add_task("importing", total=None)
        found = workspace.import_facts(
            only=only, progress=lambda text: bar.update(task, description=plain(text))
        )
        if not only:
            found += bring_notices(workspace)
    show_files(found, as_json=as_json, tolerate=tolerate)


def show_files(found: list[FileImport], *, as_json: bool, tolerate: float = 0.0) -> None:
    """Show what came of an import, and exit with 2 where rows were refused."""
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
    folders = {one.file.rpartition("/")[0] for one in found}
    folder = f"{folders.pop()}/" if len(found) > 1 and len(folders) == 1 else ""
    rows = [
        [
            one.file.removeprefix(folder),
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
    show_table(f"Imported from {folder}" if folder.strip("/") else "Imported", headers, rows)
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
