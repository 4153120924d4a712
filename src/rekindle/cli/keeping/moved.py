"""``rekindle moved``: whom a journey moves, learned from its own holdout."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle.cli.console import (
    AsJson,
    AsOf,
    Directory,
    name_journeys,
    open_at,
    output,
    parse_as_of,
    progress_bar,
    show_json,
    show_table,
)
from rekindle.errors import JourneyError, UsageError
from rekindle.wording import counted

if TYPE_CHECKING:
    from rekindle.journeys import Journey
    from rekindle.ledger import UpliftEntry
    from rekindle.worker import LearnedUplift


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command("moved")(moved)


def moved(
    journey: Annotated[
        str, typer.Argument(help="A journey that has started.", autocompletion=name_journeys)
    ],
    directory: Directory = Path(),
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep everybody's figure, for the gate to go by.")
    ] = False,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Learn whom a journey moves, and say of how many its messages would be held back.

    Learned from the people it drew, treated and held out, by what they had ordered before.
    """
    from rekindle.worker import look_at_uplift

    workspace = open_at(directory, None)
    if workspace.config.offers.margin is None:
        raise UsageError("give `margin` in [offers]: nobody knows what a return earns")
    versions = workspace.book.versions(journey)
    if not versions:
        raise JourneyError(f"no journey {journey!r} has started")
    at = workspace.clock.now() if as_of is None else parse_as_of(as_of, workspace)
    with progress_bar() as bar:
        bar.add_task("learning", total=None)
        found = look_at_uplift(workspace, versions[-1], at, is_kept=keep)
    if as_json:
        show_json(_as_json(found))
        return
    _show(found, versions[-1].journey)
    if keep and not found.entry.trouble:
        is_on = workspace.config.stopping.by_person
        then = "" if is_on else "; `by_person` in [stopping] lets the worker go by them"
        output.print(
            f"Figures of {counted(found.entry.scored, 'person')} are kept, and count until "
            f"{found.entry.good_until}{then}.",
            markup=False,
        )


def _show(found: LearnedUplift, journey: Journey) -> None:
    entry = found.entry
    notes = [f"Nobody is left out on its word: {entry.trouble}."] if entry.trouble else []
    if entry.qini is not None:
        notes.insert(0, _tell(entry))
    rows = [
        [send.key, send.channel.value, f"{found.left_out[send.key]:,}", f"{entry.scored:,}"]
        for send in journey.sends
        if send.key in found.left_out
    ]
    headers = ["message", "by", "held back from", "of"]
    show_table(f"Whom {entry.journey} moves, version {entry.version}", headers, rows, notes=notes)


def _tell(entry: UpliftEntry) -> str:
    return (
        f"Learned from {counted(entry.people, 'person')}, who got {entry.messages:.3g} messages "
        f"each. Qini {entry.qini:.3g} ({entry.qini_low:.3g} to {entry.qini_high:.3g}); above 0 the "
        "order of people means something."
    )


def _as_json(found: LearnedUplift) -> dict[str, object]:
    entry = found.entry
    return {
        "version": 1,
        "journey": entry.journey,
        "journey_version": entry.version,
        "may_exclude": not entry.trouble,
        "trouble": entry.trouble,
        "people": entry.people,
        "messages_each": entry.messages,
        "qini": entry.qini,
        "low": entry.qini_low,
        "high": entry.qini_high,
        "scored": entry.scored,
        "good_until_on": None if entry.good_until is None else entry.good_until.isoformat(),
        "held_back": dict(found.left_out),
    }
