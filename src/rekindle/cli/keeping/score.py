"""``rekindle score``: who is likely to come back by themselves, and who to leave, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle.cli.console import (
    AsJson,
    AsOf,
    Directory,
    check_writable,
    grouped,
    kind_of_file,
    open_at,
    output,
    parse_as_of,
    progress_bar,
    show_json,
    show_json_rows,
    show_table,
    show_warning,
    warn_of_refused,
    write_page,
    write_rows,
)
from rekindle.errors import UsageError
from rekindle.vocabulary import Unknown
from rekindle.wording import counted, day, percent

if TYPE_CHECKING:
    from rekindle.predictions import LapseRun, ScoreRun
    from rekindle.runtime import Workspace

SHOWN = 20
NOTE = f"The likeliest {SHOWN}; --out FILE writes them all."


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command("score")(grouped(score))


@dataclass(frozen=True, slots=True)
class ScoreOptions:
    """What is asked of the models."""

    horizon: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1825,
            metavar="DAYS",
            help="Within so many days; scores.horizon_days of the settings if not given.",
        ),
    ] = None
    active: Annotated[
        bool, typer.Option("--active", help="Warn of those who have not lapsed yet instead.")
    ] = False
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Keep both for profiles, audiences and replays, by their day."),
    ] = False
    card: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the model's card instead, as .html or .md."),
    ] = None
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Go on though less than a year of orders is known.")
    ] = False


OutFile = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write every score to a .csv or .parquet file."),
]


def score(
    asked: ScoreOptions,
    directory: Directory = Path(),
    as_of: AsOf = None,
    out: OutFile = None,
    as_json: AsJson = False,
) -> None:
    """Estimate who of the silent comes back unprompted, or who of the others lapses, and when.

    Learned from the orders known before the day; what messages did is in it.
    """
    csv, parquet = kind_of_file(out, "--out")
    _check(asked, out)
    check_writable(csv, "--out")
    check_writable(parquet, "--out")
    workspace = open_at(directory, None)
    at = workspace.latest() if as_of is None else parse_as_of(as_of, workspace)
    warn_of_refused(workspace)
    if asked.card:
        _card(workspace, at, asked, as_json=as_json)
        return
    if asked.keep:
        _keep(workspace, at, accepts_less=asked.anyway, as_json=as_json)
        return
    with progress_bar() as bar:
        bar.add_task("scoring", total=None)
        found = _estimate(workspace, at, asked)
    for text in found.warnings:
        show_warning(text)
    if out:
        write_rows(found.rows, csv=csv, parquet=parquet)
    if as_json:
        show_json_rows(found.told(), "scores", found.scores())
    elif not out:
        _show(found, day(at, workspace.zone))


def _check(asked: ScoreOptions, out: Path | None) -> None:
    """Refuse options that do not go together.

    Raises:
        UsageError: naming both.
    """
    given = {
        "--horizon": asked.horizon is not None,
        "--active": asked.active,
        "--card": asked.card is not None,
        "--out": out is not None,
    }
    if asked.keep and (others := [name for name, is_given in given.items() if is_given]):
        raise UsageError(
            f"--keep keeps everything, by [scores] of rekindle.toml: leave {others[0]} out"
        )
    if asked.card and out:
        raise UsageError("--card writes of the model and --out of people: leave one out")
    if asked.card and asked.card.suffix.lower() not in (".html", ".md"):
        raise UsageError(f"--card: name an .html or an .md file, not {asked.card.name}")
    check_writable(asked.card, "--card")
    if asked.active and not asked.card and asked.horizon is not None:
        raise UsageError("--active looks as far as each person's own line: leave --horizon out")


def _estimate(workspace: Workspace, at: datetime, asked: ScoreOptions) -> ScoreRun | LapseRun:
    from rekindle.predictions import estimate_lapses, estimate_returns, load_past

    engine, facts = workspace.reading_at(at)
    contacted = workspace.history.contacted(at) if workspace.has_ledger else frozenset[str]()
    past = load_past(facts, engine.run, as_of=at, contacted=contacted, accepts_less=asked.anyway)
    found: ScoreRun | LapseRun | Unknown
    if asked.active:
        found = estimate_lapses(past, facts, engine.run, workspace.config.lifecycle)
    else:
        found = estimate_returns(past, asked.horizon or workspace.config.scores.horizon_days)
    if isinstance(found, Unknown):
        what = "early warning" if asked.active else "model of returns"
        raise UsageError(f"no {what} can be learned: {found.reason}")
    return found


def _card(workspace: Workspace, at: datetime, asked: ScoreOptions, *, as_json: bool) -> None:
    """Write the card of a model, judged on what came since a horizon ago."""
    from rekindle.insights import card_markdown, card_page
    from rekindle.predictions import CardQuestion, build_card

    engine, facts = workspace.reading_at(at)
    question = CardQuestion(
        "lapse" if asked.active else "return",
        at,
        asked.horizon or workspace.config.scores.horizon_days,
        workspace.config.lifecycle,
        workspace.history.contacted(at) if workspace.has_ledger else (),
        accepts_less=asked.anyway,
    )
    with progress_bar() as bar:
        bar.add_task("judging", total=None)
        card = build_card(facts, engine.run, question)
    if isinstance(card, Unknown):
        raise UsageError(f"there is no model to tell of: {card.reason}")
    for text in card.warnings:
        show_warning(text)
    assert asked.card is not None
    is_page = asked.card.suffix.lower() == ".html"
    name = workspace.config.workspace.name
    write_page(asked.card, card_page(card, name) if is_page else card_markdown(card))
    if as_json:
        show_json(card.to_json())


def _keep(workspace: Workspace, at: datetime, *, accepts_less: bool, as_json: bool) -> None:
    from rekindle.worker import keep_scores

    with progress_bar() as bar:
        bar.add_task("scoring", total=None)
        kept = keep_scores(workspace, at, accepts_less=accepts_less)
    for text in kept.day.notes:
        show_warning(text)
    if as_json:
        show_json(
            {
                "version": 1,
                "as_of": at.isoformat(),
                "people": kept.day.rows.num_rows,
                "written": kept.written,
                "good_until_on": kept.day.good_until.isoformat(),
                "warnings": list(kept.day.notes),
            }
        )
        return
    new = "" if kept.written else "; all of them were kept already"
    output.print(
        f"Scores of {counted(kept.day.rows.num_rows, 'person')} as of {day(at, workspace.zone)} "
        f"are kept, and count until {kept.day.good_until}{new}.",
        markup=False,
    )


def _show(found: ScoreRun | LapseRun, on: str) -> None:
    from rekindle.predictions import ScoreRun

    first, count = found.rows.slice(0, SHOWN).to_pylist(), found.rows.num_rows
    more = [NOTE] if count > SHOWN else []
    people = f"of {counted(found.learned_from, 'person')}"
    if isinstance(found, ScoreRun):
        show_table(
            f"{counted(count, 'person')} silent for 30 days or more, as of {on}",
            ["customer", f"orders within {counted(found.horizon_days, 'day')}", "expected on"],
            [
                [
                    one["customer_id"],
                    percent(one["return_probability"]),
                    _on(one, "expected_return"),
                ]
                for one in first
            ],
            notes=[
                f"Learned from {found.model.rows:,} silences {people}, {found.model.orders:,} of "
                "which ended within 30 days. The date is of those who do order.",
                *more,
            ],
        )
        return
    show_table(
        f"{counted(count, 'person')} not lapsed yet, as of {on}",
        ["customer", "lapses first", "next order: one in ten by", "half by", "nine in ten by"],
        [
            [
                one["customer_id"],
                percent(one["lapse_risk"]),
                *(_on(one, f"next_order{end}") for end in ("_low", "", "_high")),
            ]
            for one in first
        ],
        notes=[
            f"Learned from {found.model.rows:,} looks {people}, {found.model.orders:,} of which "
            f"met an order within {counted(found.model.step, 'day')}.",
            *more,
        ],
    )


def _on(row: dict[str, object], name: str) -> str:
    found = row[f"{name}_on"]
    return "–" if found is None else str(found)
