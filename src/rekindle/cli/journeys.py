"""Commands about journeys: ``plan``, ``preview``, ``start``, ``replay`` and ``report``."""

from __future__ import annotations

import shlex
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from rekindle.cli.console import (
    AsJson,
    AsOf,
    CsvFile,
    Directory,
    HtmlFile,
    ParquetFile,
    check_page,
    check_writable,
    errors,
    name_journeys,
    open_at,
    output,
    parse_as_of,
    parse_day,
    progress_bar,
    refuse_nan,
    show_json,
    show_table,
    show_warning,
    warn_of_refused,
    write_page,
    write_rows,
)
from rekindle.cli.steering import By, whoever
from rekindle.errors import UsageError, WorkError
from rekindle.vocabulary import Answer, Arm, Unknown
from rekindle.wording import amount, counted, moment, percent

if TYPE_CHECKING:
    from rekindle.desk import Plan
    from rekindle.insights import JourneyReport
    from rekindle.runtime import Workspace

JourneyName = Annotated[
    str,
    typer.Argument(
        help="A journey in journeys/, its file's name without .yaml.",
        autocompletion=name_journeys,
    ),
]
SubgroupColumn = Annotated[
    str,
    typer.Option(
        "--by",
        metavar="COLUMN",
        help="Say it of parts of the people too, by tier, value_band or what else is kept.",
    ),
]
Customer = Annotated[
    str,
    typer.Option("--customer", metavar="ID", help="For this one; default a few it would reach."),
]
PLANNED = {
    Answer.SEND: "messages sent",
    Answer.HOLD: "touches held",
    Answer.SKIP: "touches skipped",
}
A_YEAR = timedelta(days=365)


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("plan")(plan)
    app.command("preview")(preview)
    app.command("send-test")(send_a_test)
    app.command("start")(start)
    app.command("replay")(replay)
    app.command("report")(report)
    app.command("assignments")(assignments)


def plan(
    journey: JourneyName, directory: Directory = Path(), as_of: AsOf = None, as_json: AsJson = False
) -> None:
    """Say who would enter, in which arm, at what cost, and what could be proven."""
    from rekindle.desk import build_plan

    workspace = open_at(directory, as_of)
    at = workspace.latest() if as_of is None else workspace.clock.now()
    warn_of_refused(workspace)
    with progress_bar() as bar:
        bar.add_task("planning", total=None)
        found = build_plan(workspace, workspace.journey(journey), at)
    if as_json:
        show_json(found.to_json())
    else:
        _show_plan(found, directory, workspace.zone)


def preview(
    journey: JourneyName,
    directory: Directory = Path(),
    customer: Customer = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="Default state/preview/JOURNEY."),
    ] = None,
    pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help="Take them, by a Chromium.")
    ] = True,
    as_of: AsOf = None,
) -> None:
    """Show every message of a journey for real people and for those who are different."""
    from rekindle.desk import find_person
    from rekindle.worker import save_preview, write_letters

    workspace = open_at(directory, as_of)
    at = workspace.latest() if as_of is None else workspace.clock.now()
    found = workspace.journey(journey)
    with progress_bar() as bar:
        bar.add_task("writing", total=None)
        person = find_person(workspace, customer) if customer else ""
        letters = write_letters(workspace, found, at, customer=person)
        folder = out or workspace.directory / "state" / "preview" / found.name
        title = f"{found.name}, {workspace.config.workspace.name}"
        saved = save_preview(letters, folder, title=title, at=at, with_pictures=pictures)
    output.print(str(saved.index), markup=False, soft_wrap=True)
    said = f"{counted(len(letters), 'message')}, {counted(saved.pictures, 'picture')}"
    errors.print(f"{said}; nothing was sent", markup=False)
    if saved.note:
        errors.print(saved.note, markup=False)
    for letter in letters:
        if letter.trouble:
            show_warning(f"{letter.template}, to {letter.reader.label}: {letter.trouble}")


def send_a_test(
    journey: JourneyName,
    to: Annotated[str, typer.Option("--to", metavar="ADDRESS", help="Who gets them.")],
    directory: Directory = Path(),
    customer: Customer = "",
    even_to_customers: Annotated[
        bool,
        typer.Option("--even-to-customers", help="Also where the address is a customer's."),
    ] = False,
) -> None:
    """Send a journey's messages to one address of yours, marked as a test."""
    from rekindle.desk import find_people, find_person
    from rekindle.worker import send_test

    workspace = open_at(directory, None)
    found = workspace.journey(journey)
    sent = send_test(
        workspace,
        found,
        to,
        workspace.latest(),
        find_people=partial(find_people, workspace),
        customer=find_person(workspace, customer) if customer else "",
        even_to_customers=even_to_customers,
    )
    rows = [
        [one.step, one.channel, "sent" if one.is_sent else "not sent", one.word] for one in sent
    ]
    show_table(
        "Test messages", ["step", "channel", "what became of it", "the provider's word"], rows
    )
    if not all(one.is_sent for one in sent):
        raise WorkError("not every message was taken; see above")


def start(
    journey: JourneyName,
    directory: Directory = Path(),
    as_of: AsOf = None,
    token: Annotated[
        str | None,
        typer.Option("--token", help="the token `plan` showed."),
    ] = None,
    drift: Annotated[
        float | None,
        typer.Option(
            "--drift",
            min=0,
            max=1000,
            callback=refuse_nan,
            help="The share by which the count may have moved.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Start without asking.")] = False,
    by: By = "",
) -> None:
    """Start a journey, or its edited version; the next tick lets people enter."""
    from rekindle.desk import build_plan, start_journey

    workspace = open_at(directory, as_of)
    refuse_time_travel(workspace, as_of)
    at = workspace.clock.now()
    found = workspace.journey(journey)
    if not yes and token is None:
        _show_plan(build_plan(workspace, found, at), directory, workspace.zone)
        if not typer.confirm(f"Start {found.name}?", err=True):
            raise UsageError("nothing was started")
    start = start_journey(workspace, found, at, who=whoever(by), token=token, drift=drift)
    version = start.version
    share = percent(version.holdout_share)
    if not start.is_new:
        errors.print(
            f"{found.name} is already running as version {version.version}, {share} held out; "
            "nothing was started",
            markup=False,
        )
        return
    errors.print(
        f"{found.name} version {version.version} takes people, {share} "
        "held out; `rekindle tick` or `rekindle up` runs it",
        markup=False,
    )
    for note in start.notes:
        errors.print(note, markup=False, soft_wrap=True)


def replay(
    journey: JourneyName,
    directory: Directory = Path(),
    first: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="First day; default a year back.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="Last day; default the last order's.")
    ] = None,
    as_json: AsJson = False,
    html: HtmlFile = None,
) -> None:
    """Run a journey over the shop's own history, sending nothing."""
    from rekindle.desk import replay_journey

    check_page(html)
    workspace = open_at(directory, None)
    end = parse_day(last) if last else workspace.latest().astimezone(workspace.zone).date()
    begin = parse_day(first) if first else end - A_YEAR
    warn_of_refused(workspace)
    with progress_bar() as bar:
        task = bar.add_task(f"replaying {begin} to {end}", total=None)
        found = replay_journey(
            workspace,
            workspace.journey(journey),
            first=begin,
            last=end,
            progress=lambda done, of: bar.update(task, completed=done, total=of),
        )
    _show_report(found, workspace, as_json=as_json, html=html)


def report(
    journey: JourneyName,
    directory: Directory = Path(),
    as_of: AsOf = None,
    by: SubgroupColumn = "",
    as_json: AsJson = False,
    html: HtmlFile = None,
) -> None:
    """Say what a journey did and what it earned against its holdout."""
    from rekindle.desk import report_journey

    check_page(html)
    workspace = open_at(directory, as_of)
    with progress_bar() as bar:
        bar.add_task("reporting", total=None)
        found = report_journey(workspace, journey, by=by)
    _show_report(found, workspace, as_json=as_json, html=html)


def assignments(
    journey: JourneyName,
    directory: Directory = Path(),
    csv: CsvFile = None,
    parquet: ParquetFile = None,
) -> None:
    """Write who entered a journey, when, and in which arm, to analyse elsewhere."""
    from rekindle.desk import export_assignments

    if not (csv or parquet):
        raise UsageError("name a file to write: --csv FILE or --parquet FILE")
    check_writable(csv, "--csv")
    check_writable(parquet, "--parquet")
    rows = export_assignments(open_at(directory, None), journey)
    write_rows(rows, csv=csv, parquet=parquet)


def refuse_time_travel(workspace: Workspace, as_of: str | None) -> None:
    """Refuse a date other than now where real messages could leave.

    Raises:
        UsageError: ``--as-of`` is given and the outlet reaches real people.
    """
    real = [name for name, can in workspace.capabilities.items() if can.reaches_people]
    if as_of is not None and real:
        parse_as_of(as_of, workspace)
        outlet = workspace.config.channel(real[0]).outlet
        raise UsageError(
            f"--as-of is for trying things out; with {real[0]}.outlet = {outlet!r} it could "
            "send real messages on a wrong day"
        )


def _show_report(
    found: JourneyReport, workspace: Workspace, *, as_json: bool, html: Path | None
) -> None:
    from rekindle.insights import report_page, report_tables

    if html:
        write_page(html, report_page(found, workspace.config.workspace.name))
    if as_json:
        show_json(found.to_json())
        return
    for table in report_tables(found):
        notes = [note for note in table.notes if note != found.nobody]
        show_table(table.title, table.headers, table.rows, notes=notes)
    if found.nobody:
        show_warning(found.nobody)


def _show_plan(found: Plan, directory: Path, zone: ZoneInfo) -> None:
    rows = [
        ["people who would enter", f"{found.people:,}"],
        ["treated", f"{found.assigned[Arm.TREATMENT]:,}"],
        ["held out", f"{found.assigned[Arm.HOLDOUT]:,}"],
        *([PLANNED[answer], f"{count:,}"] for answer, count in sorted(found.touches.items())),
        *(
            [f"– {reason.value.replace('_', ' ')}", f"{count:,}"]
            for reason, count in sorted(found.reasons.items())
        ),
        ["cost at most", str(found.cost)],
        *(["– of the offers, beside it", str(one)] for one in found.offers),
        ["returned unprompted before", _figure(found.returned)],
        ["expected to return unprompted", _figure(found.returning)],
        ["smallest provable gain per person", _figure(found.provable_revenue, found.cost.currency)],
        ["smallest provable gain in return rate", _figure(found.provable_rate)],
    ]
    notes = [
        found.holdout.sentence,
        "Counts assume that nobody returns: they are the most.",
        *found.notes,
    ]
    title = f"Plan of {found.journey} as of {moment(found.as_of, zone)} ({zone})"
    show_table(title, ["", ""], rows, notes=notes)
    if found.nobody:
        show_warning(found.nobody)
    if not found.token:
        return
    place = "" if directory == Path() else f" -C {shlex.quote(str(directory))}"
    errors.print(
        f"within 15 minutes: rekindle start {found.journey}{place} --token {found.token}",
        markup=False,
        soft_wrap=True,
    )


def _figure(value: float | Unknown, currency: str = "") -> str:
    """Return an amount of a currency, without one a share; of what is unknown, why."""
    if isinstance(value, Unknown):
        return str(value)
    return amount(value, currency) if currency else percent(value)
