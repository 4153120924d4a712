"""The command that says what is kept for who left: ``kept``."""

from __future__ import annotations

from pathlib import Path

import typer

from rekindle.cli.console import (
    AsJson,
    CsvFile,
    Directory,
    HtmlFile,
    check_page,
    check_writable,
    open_at,
    output,
    show_json,
    show_table,
    write_page,
    write_rows,
)
from rekindle.wording import moment


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("kept")(kept)


def kept(
    directory: Directory = Path(),
    csv: CsvFile = None,
    as_json: AsJson = False,
    html: HtmlFile = None,
) -> None:
    """Show what is kept for who left, until when, and what those found who came back."""
    from rekindle.desk import report_kept
    from rekindle.insights import kept_page

    check_page(html)
    check_writable(csv, "--csv")
    workspace = open_at(directory, None)
    found = report_kept(workspace)
    if html:
        name, zone = workspace.config.workspace.name, workspace.zone
        about = f"As of {moment(found.as_of, zone)} ({zone})"
        page = kept_page(found.tables, found.figures, shop=name, about=about, lead=found.lead)
        write_page(html, page)
    if csv:
        write_rows(found.to_rows(), csv=csv, parquet=None)
    if as_json:
        show_json(found.to_json())
        return
    output.print(found.lead, markup=False)
    for table in found.tables:
        show_table(table.title, table.headers, table.rows, notes=table.notes)
