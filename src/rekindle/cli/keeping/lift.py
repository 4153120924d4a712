"""The command ``lift``: what any experiment's file shows, no workspace needed."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle.cli.console import AsJson, grouped, show_json, show_table
from rekindle.errors import UsageError
from rekindle.vocabulary import IntervalKind

if TYPE_CHECKING:
    from rekindle.experiments import Watch


class Method(enum.StrEnum):
    """How an interval is computed."""

    SCORE = "score"
    WELCH = "welch"


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns say what."""

    arm: Annotated[str, typer.Option("--arm", help="The column that names the arm.")]
    control: Annotated[str, typer.Option("--control", help="What it holds for the control.")]
    outcome: Annotated[
        list[str], typer.Option("--outcome", help="A column of numbers or yes/no; repeat it.")
    ]
    cluster: Annotated[
        str | None,
        typer.Option("--cluster", help="Who was drawn together: a household, a shop."),
    ] = None
    before: Annotated[
        str | None,
        typer.Option("--before", help="A figure from before the draw, to take its part off."),
    ] = None
    unit: Annotated[
        str | None, typer.Option("--id", help="A column in which nobody may stand twice.")
    ] = None


@dataclass(frozen=True, slots=True)
class Looking:
    """How often the figures are looked at, and what was planned."""

    interval: Annotated[
        IntervalKind, typer.Option("--interval", help="How often the figures are looked at.")
    ] = IntervalKind.FIXED
    elapsed: Annotated[
        float | None,
        typer.Option(
            "--elapsed", min=0, max=1, help="Part of the period that is over, for reading-date."
        ),
    ] = None
    look: Annotated[
        list[float] | None,
        typer.Option("--look", min=0, max=1, help="Parts at which you looked before; repeat it."),
    ] = None
    planned: Annotated[
        int | None,
        typer.Option("--planned", min=1, help="Buyers an open-ended interval is made for."),
    ] = None
    expected: Annotated[
        list[str] | None,
        typer.Option("--expected", metavar="ARM=SHARE", help="The planned share of an arm."),
    ] = None
    method: Annotated[
        Method, typer.Option("--method", help="score holds its level; welch is to compare.")
    ] = Method.SCORE


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command("lift")(grouped(lift))


def lift(
    file: Annotated[Path, typer.Argument(help="A CSV or Parquet file, one row a person.")],
    columns: Columns,
    reading: Looking,
    as_json: AsJson = False,
) -> None:
    """Say what an experiment's file shows, whoever ran it: differences with honest intervals."""
    from rekindle.facts import TrialQuestion
    from rekindle.insights import TrialPlan, measure_trial, trial_tables

    _check(columns, reading)
    question = TrialQuestion(
        path=file,
        arm=columns.arm,
        control=columns.control.strip(),
        outcomes=list(dict.fromkeys(columns.outcome)),
        cluster=columns.cluster,
        before=columns.before,
        unit=columns.unit,
    )
    plan = TrialPlan(
        shares=_parse_shares(reading.expected or ()),
        watch=_parse_watch(reading),
        is_welch=reading.method is Method.WELCH,
    )
    try:
        found = measure_trial(question, plan)
    except ValueError as error:
        raise UsageError(f"{file}: {error}") from error
    if as_json:
        show_json(found.to_json())
        return
    for table in trial_tables(found):
        show_table(table.title, table.headers, table.rows, notes=table.notes)


def _check(columns: Columns, reading: Looking) -> None:
    """Refuse options that do not go together.

    Raises:
        UsageError: naming both.
    """
    if columns.arm in columns.outcome:
        raise UsageError(f"{columns.arm!r} is the arm and cannot be an outcome as well")
    if columns.before in columns.outcome:
        raise UsageError(f"{columns.before!r} is from before the draw and cannot be an outcome")
    _check_reading(columns, reading)


def _check_reading(columns: Columns, reading: Looking) -> None:
    if reading.method is Method.WELCH:
        is_given = {
            "--cluster": columns.cluster is not None,
            "--before": columns.before is not None,
            f"--interval {reading.interval}": reading.interval is not IntervalKind.FIXED,
        }
        for option in (option for option, given in is_given.items() if given):
            raise UsageError(f"--method welch knows no {option}; leave one out")
    goes_with = {
        "--elapsed": (IntervalKind.READING_DATE, reading.elapsed is not None),
        "--look": (IntervalKind.READING_DATE, bool(reading.look)),
        "--planned": (IntervalKind.OPEN_ENDED, reading.planned is not None),
    }
    for option, (interval, is_used) in goes_with.items():
        if is_used and reading.interval is not interval:
            raise UsageError(f"{option} goes with --interval {interval}")


def _parse_watch(reading: Looking) -> Watch:
    from rekindle.experiments import OpenEnded, ReadingDate

    if reading.interval is IntervalKind.READING_DATE:
        elapsed = 1.0 if reading.elapsed is None else reading.elapsed
        looks = reading.look or []
        if late := [look for look in looks if look > elapsed]:
            raise UsageError(f"--look {late[0]:g} lies after --elapsed {elapsed:g}")
        return ReadingDate(elapsed, looks)
    if reading.interval is IntervalKind.OPEN_ENDED:
        return OpenEnded(reading.planned)
    return None


def _parse_shares(texts: Sequence[str]) -> dict[str, float]:
    """Return planned shares by arm.

    Raises:
        UsageError: a text is not ``ARM=SHARE``, or an arm is named twice.
    """
    shares: dict[str, float] = {}
    for text in texts:
        arm, found, share = text.rpartition("=")
        try:
            number = float(share)
        except ValueError:
            number = 0.0
        if not found or not 0 < number < float("inf"):
            raise UsageError(f"--expected {text!r} is not ARM=SHARE, as in control=0.1")
        if arm.strip() in shares:
            raise UsageError(f"--expected names {arm.strip()!r} twice")
        shares[arm.strip()] = number
    return shares
