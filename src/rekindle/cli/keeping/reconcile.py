"""The command ``reconcile``: on whom two definitions differ, of churn or of reactivated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle.cli.console import (
    AsJson,
    AsOf,
    CsvFile,
    Directory,
    check_writable,
    name_journeys,
    open_at,
    parse_as_of,
    show_json,
    show_table,
    write_rows,
)
from rekindle.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from rekindle.insights import TextTable


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command("reconcile")(reconcile)


def reconcile(
    one: Annotated[
        str, typer.Argument(help="A definition of churn, like ours, or of reactivated: assigned.")
    ],
    other: Annotated[str, typer.Argument(help="Another, like chartmogul, or reached.")],
    journey: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Whose people, for definitions of reactivated; all journeys' without it.",
            autocompletion=name_journeys,
        ),
    ] = "",
    directory: Directory = Path(),
    as_of: AsOf = None,
    csv: CsvFile = None,
    as_json: AsJson = False,
) -> None:
    """Explain everybody on whom two definitions differ: of churn, or of who is reactivated."""
    from rekindle.insights import REACTIVATIONS

    check_writable(csv, "--csv")
    ask = _of_people if {one, other} & REACTIVATIONS.keys() else _of_subscribers
    if journey and ask is _of_subscribers:
        raise UsageError(
            f"--journey {journey} goes with definitions of reactivated: {', '.join(REACTIVATIONS)}"
        )
    found = ask(one, other, journey, directory, as_of)
    if csv:
        write_rows(found.rows, csv=csv, parquet=None)
    if as_json:
        show_json(found.json)
        return
    for table in found.tables:
        show_table(table.title, table.headers, table.rows, notes=table.notes)


@dataclass(frozen=True, slots=True)
class _Told:
    """A reconciliation in every form it is asked for."""

    rows: pa.Table
    json: Mapping[str, object]
    tables: Sequence[TextTable]


def _of_people(one: str, other: str, journey: str, directory: Path, as_of: str | None) -> _Told:
    from rekindle.desk import reconcile_journeys
    from rekindle.insights import rate_tables

    found = reconcile_journeys(open_at(directory, as_of), one, other, journey)
    return _Told(found.rows(), found.to_json(), rate_tables(found))


def _of_subscribers(one: str, other: str, _: str, directory: Path, as_of: str | None) -> _Told:
    from rekindle.insights import reconcile as compare
    from rekindle.insights import reconciliation_tables
    from rekindle.subscriptions import find_definition

    mine, theirs = find_definition(one), find_definition(other)
    workspace = open_at(directory, None)
    at = workspace.latest() if as_of is None else parse_as_of(as_of, workspace)
    engine, facts = workspace.reading_at(at)
    found = compare(facts, engine.run, as_of=at, one=mine, other=theirs)
    return _Told(found.rows(), found.to_json(), reconciliation_tables(found))
