"""Commands about what people agreed to: ``consent`` and ``suppressions``."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle.cli.console import (
    AsJson,
    AsOf,
    Directory,
    check_writable,
    errors,
    open_at,
    output,
    show_json,
    show_table,
    write_page,
    write_rows,
)
from rekindle.cli.steering import By, remember, whoever
from rekindle.config import parse_duration
from rekindle.errors import UsageError
from rekindle.wording import counted, moment

if TYPE_CHECKING:
    from rekindle.desk import ListImport
    from rekindle.vocabulary import Channel

SCHEMA_VERSION = 1
EXAMPLES = 5

ListFile = Annotated[Path, typer.Argument(metavar="FILE", help="CSV, Excel, JSON or Parquet.")]
OnChannel = Annotated[str, typer.Option("--channel", help="The channel of rows that name none.")]
Take = Annotated[
    list[str] | None,
    typer.Option("--take", metavar="OURS=THEIRS", help="Which column is which, like at=Date."),
]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    consent = typer.Typer(
        name="consent", help="What people agreed to, and until when.", no_args_is_help=True
    )
    consent.command("import")(import_list)
    consent.command("expiring")(expiring)
    consent.command("proof")(proof)
    app.add_typer(consent)
    suppressions = typer.Typer(
        name="suppressions", help="Whom nobody may write to again.", no_args_is_help=True
    )
    suppressions.command("import")(import_stops)
    app.add_typer(suppressions)


def import_list(
    file: ListFile,
    directory: Directory = Path(),
    channel: OnChannel = "email",
    wording: Annotated[str, typer.Option("--wording", help="The words of rows without.")] = "",
    take: Take = None,
    as_json: AsJson = False,
    by: By = "",
) -> None:
    """Take a list of consents: who, on which channel, yes or no, when, in which words."""
    from rekindle.desk import ListDefaults, import_consents

    workspace = open_at(directory, None)
    defaults = ListDefaults(_channel(channel), wording, _taken(take))
    taken = import_consents(workspace, file, defaults, who=whoever(by))
    remember(workspace)
    _show(taken, as_json)


def import_stops(
    file: ListFile,
    directory: Directory = Path(),
    channel: OnChannel = "email",
    take: Take = None,
    as_json: AsJson = False,
    by: By = "",
) -> None:
    """Take a list of people or addresses that must not be written to, with reason and date."""
    from rekindle.desk import ListDefaults, import_suppressions

    workspace = open_at(directory, None)
    defaults = ListDefaults(_channel(channel), columns=_taken(take))
    taken = import_suppressions(workspace, file, defaults, who=whoever(by))
    remember(workspace)
    _show(taken, as_json)


def expiring(
    directory: Directory = Path(),
    within: Annotated[str, typer.Option("--within", help="Like 30d or '30 days'.")] = "30 days",
    as_json: AsJson = False,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write them to a CSV file.")
    ] = None,
    as_of: AsOf = None,
) -> None:
    """Say whose permission, or unconfirmed yes, runs out, where, when, and by which rule."""
    import pyarrow as pa

    from rekindle.worker import find_expiring, find_unconfirmed

    span = _span(within)
    check_writable(csv, "--csv")
    workspace = open_at(directory, as_of)
    at = workspace.clock.now()
    found = find_expiring(workspace, within=span, at=at)
    found = found + find_unconfirmed(workspace, within=span, at=at)
    records = [one.as_record() for one in found]
    if csv is not None:
        names = ("person", "channel", "until", "rule", "law", "source", "place")
        columns = {name: pa.array([one[name] for one in records], pa.string()) for name in names}
        write_rows(pa.table(columns), csv=csv, parquet=None)
    if as_json:
        show_json({"version": SCHEMA_VERSION, "within_days": span.days, "expiring": records})
        return
    if csv is None:
        show_table(
            f"Permissions that run out within {span.days} days",
            ("Customer", "Channel", "Until", "Rule", "Source"),
            [
                (
                    one.person,
                    one.channel,
                    moment(one.until, workspace.zone),
                    one.rule.replace("_", " "),
                    one.source,
                )
                for one in found
            ],
        )


def proof(
    customer: Annotated[str, typer.Argument(help="The customer's id, address or number.")],
    directory: Directory = Path(),
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Write it: as JSON where it ends so, else text."
        ),
    ] = None,
    as_json: AsJson = False,
    as_of: AsOf = None,
) -> None:
    """Show everything there is to prove one person's permission: words, times, sources, rules."""
    from rekindle.desk import prove_consent

    check_writable(out, "--out")
    workspace = open_at(directory, as_of)
    found = prove_consent(workspace, customer, workspace.clock.now())
    if out is not None:
        is_json = out.suffix.lower() == ".json"
        record = json.dumps(found.as_record(), indent=2, ensure_ascii=False) + "\n"
        write_page(out, record if is_json else found.as_text())
        return
    if as_json:
        show_json(found.as_record())
        return
    output.print(found.as_text(), markup=False, end="", soft_wrap=True)


def _show(taken: ListImport, as_json: bool) -> None:
    if as_json:
        show_json(
            {
                "version": SCHEMA_VERSION,
                "file": taken.file,
                "read": taken.read,
                "taken": dict(taken.counts),
                "set_aside": [
                    {"line": one.line, "problem": one.problem, "detail": one.detail}
                    for one in taken.refused
                ],
                "quarantine": str(taken.quarantine) if taken.quarantine else None,
                "columns": dict(taken.columns),
                "columns_left_out": list(taken.left_out),
            }
        )
        return
    told = ", ".join(f"{count:,} {what}" for what, count in sorted(taken.counts.items()))
    errors.print(
        f"{taken.file}: {counted(taken.read, 'row')}; {told or 'nothing new'}", markup=False
    )
    if taken.left_out:
        errors.print(f"columns left out: {', '.join(taken.left_out)}", markup=False, style="dim")
    for one in taken.refused[:EXAMPLES]:
        errors.print(f"line {one.line} is set aside ({one.problem}): {one.detail}", markup=False)
    if taken.quarantine is not None:
        total = counted(len(taken.refused), "row")
        errors.print(f"{total} set aside, all listed in {taken.quarantine}", markup=False)


def _channel(name: str) -> Channel:
    from rekindle.vocabulary import Channel

    try:
        return Channel(name)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _taken(take: list[str] | None) -> dict[str, str]:
    pairs = [one.partition("=") for one in take or ()]
    if bad := [ours for ours, mark, theirs in pairs if not (ours and mark and theirs)]:
        raise UsageError(f"write --take OURS=THEIRS, like --take at=Date; not {bad[0]!r}")
    return {ours.strip(): theirs.strip() for ours, _, theirs in pairs}


def _span(text: str) -> timedelta:
    try:
        return parse_duration(re.sub(r"^\s*(\d+)\s*d\s*$", r"\1 days", text))
    except ValueError as error:
        raise UsageError(f"--within: {error}") from error
