"""``rekindle status``: how everything stands, on one screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import typer

from rekindle.cli.console import AsJson, AsOf, Directory, open_at, output, show_json, show_table
from rekindle.cli.doctor import REFUSED, WARNED
from rekindle.wording import counted, moment, percent

if TYPE_CHECKING:
    from rekindle.ledger import ListTally, Waiting
    from rekindle.runtime import Workspace
    from rekindle.worker import FactsOverview, LedgerOverview, MessageStop, Overview

SCHEMA_VERSION = 1


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command("status")(status)


def status(directory: Directory = Path(), as_of: AsOf = None, as_json: AsJson = False) -> None:
    """Say on one screen how everything stands, what is wrong and what to do.

    Exit code 0: all is well. 3: something is worth a look. 1: something keeps messages back.
    Nothing is changed.
    """
    from rekindle.worker import State, load_overview, worst_of

    workspace = open_at(directory, as_of)
    overview = load_overview(workspace)
    worst = worst_of(list(overview.lines))
    if as_json:
        told = {**_as_json(overview), **_targets_json(workspace)}
        show_json({"version": SCHEMA_VERSION, "state": worst.value, **told})
    else:
        _show(overview, workspace)
    if worst is not State.WELL:
        raise typer.Exit(REFUSED if worst is State.REFUSES else WARNED)


def _show(overview: Overview, workspace: Workspace) -> None:
    name, zone = workspace.config.workspace.name, workspace.zone
    rows = [*_facts(overview, zone), *_channels(overview)]
    if overview.ledger is not None:
        rows += _work(overview.ledger, overview.at, zone)
    show_table(f"{name}, {moment(overview.at, zone)} ({zone})", ["", "as it stands"], rows)
    if overview.ledger is not None:
        journeys = [
            [one.name, one.state.value, f"{one.open:,}", f"{one.due:,}", f"{one.held:,}"]
            for one in overview.ledger.journeys
        ]
        headers = ["journey", "state", "people in it", "due now", "held back"]
        show_table("Journeys", headers, journeys)
        if overview.ledger.lists:
            rows = [_list(one, overview.at) for one in overview.ledger.lists]
            show_table("Lists", ["list", "outlet", "on it", "to come", "removals"], rows)
        if overview.ledger.left_out:
            rows = [_left_out(one, zone) for one in overview.ledger.left_out]
            headers = ["journey", "message", "to", "as it stands"]
            show_table("Stopped for what they earn", headers, rows)
    _show_targets(workspace, overview.at)
    problems = [[line.about, line.found, line.remedy] for line in overview.problems]
    if problems:
        show_table("Needs a look, the worst first", ["", "what was found", "what to do"], problems)
    else:
        output.print("All is well.", style="bold")


def _show_targets(workspace: Workspace, at: datetime) -> None:
    """Show how the targets stood at the newest reading: to measure anew takes too long here."""
    if not workspace.config.targets:
        return
    from rekindle.desk import load_targets
    from rekindle.insights import kept_target_table

    read_at, standings = load_targets(workspace)
    read = f"read {_when(read_at, at, workspace.zone)}" if read_at else "never read yet"
    table = kept_target_table(standings, workspace.config.workspace.currency, read)
    show_table(table.title, table.headers, table.rows, notes=table.notes)


def _targets_json(workspace: Workspace) -> dict[str, Any]:
    if not workspace.config.targets:
        return {}
    from rekindle.desk import load_targets

    read_at, standings = load_targets(workspace)
    return {
        "targets_read_at": read_at.isoformat() if read_at else None,
        "targets": [one.to_json() for one in standings],
    }


def _facts(overview: Overview, zone: ZoneInfo) -> Iterator[list[str]]:
    facts = overview.facts
    if facts is None:
        yield ["facts", "nothing was imported yet"]
        return
    if facts.orders or not facts.subscriptions:
        yield ["orders", f"{facts.orders:,}"]
    if facts.subscriptions:
        yield ["subscriptions", f"{facts.subscriptions:,}"]
    if facts.newest_order_at is not None:
        yield ["newest order", _when(facts.newest_order_at, overview.at, zone)]
    if facts.imported_at is not None:
        yield ["newest import", _when(facts.imported_at, overview.at, zone)]
    if facts.refused_share is not None:
        yield ["rows refused", percent(facts.refused_share)]


def _channels(overview: Overview) -> Iterator[list[str]]:
    """Yield of each channel how many it could reach, and by what it leaves."""
    stops = overview.ledger.stops if overview.ledger else {}
    reached = overview.ledger.reach if overview.ledger else {}
    for channel, outlet in overview.outlets.items():
        by = f"{outlet}, which is stopped" if outlet in stops else outlet
        reach = reached.get(channel)
        people = "" if reach is None else f"{reach.agreed:,} of {reach.people:,} can be reached, "
        yield [channel, f"{people}by {by}"]


def _work(ledger: LedgerOverview, at: datetime, zone: ZoneInfo) -> Iterator[list[str]]:
    yield ["last pass", _when(ledger.passed_at, at, zone) if ledger.passed_at else "none yet"]
    yield ["messages", _messages(ledger.waiting, at)]
    if stuck := ledger.waiting.unknown + ledger.waiting.failed:
        yield ["stuck", f"{counted(stuck, 'message')}; see `rekindle outbox list`"]


def _list(one: ListTally, at: datetime) -> list[str]:
    removals = "none is open"
    if one.oldest_at is not None:
        removals = (
            f"{one.requested:,} asked for, {one.taken:,} taken and not yet effective; "
            f"the oldest for {_span(one.oldest_at, at)}"
        )
    return [one.destination, one.outlet, f"{one.members:,}", f"{one.waiting:,}", removals]


def _left_out(one: MessageStop, zone: ZoneInfo) -> list[str]:
    stands = "stopped"
    if (made := one.overrule) is not None:
        what = "sent" if one.is_stopped else "not stopped, and sent"
        stands = f"{what} until {moment(made.until, zone)}, by {made.who}: {made.why}"
    return [one.journey, one.step or "all", one.subgroup or "everybody", stands]


def _messages(waiting: Waiting, at: datetime) -> str:
    text = f"{waiting.ready:,} ready to leave"
    if waiting.oldest_at is not None:
        text += f", the oldest for {_span(waiting.oldest_at, at)}"
    return f"{text}; {waiting.later:,} wait for their hour; {waiting.leaving:,} are leaving"


def _when(then: datetime, now: datetime, zone: ZoneInfo) -> str:
    return f"{moment(then, zone)}, {_span(then, now)} ago" if then <= now else moment(then, zone)


def _span(then: datetime, now: datetime) -> str:
    minutes = int((now - then).total_seconds() // 60)
    if minutes < 120:
        return counted(minutes, "minute")
    hours = minutes // 60
    return counted(hours, "hour") if hours < 48 else counted(hours // 24, "day")


def _as_json(overview: Overview) -> dict[str, Any]:
    return {
        "at": overview.at.isoformat(),
        "facts": _facts_json(overview.facts),
        "ledger": _ledger_json(overview.ledger),
        "outlets": dict(overview.outlets),
        "problems": [
            {"about": o.about, "state": o.state.value, "found": o.found, "remedy": o.remedy}
            for o in overview.problems
        ],
    }


def _facts_json(facts: FactsOverview | None) -> dict[str, Any] | None:
    return None if facts is None else _plain(asdict(facts))


def _ledger_json(ledger: LedgerOverview | None) -> dict[str, Any] | None:
    if ledger is None:
        return None
    return {
        "people": {name: asdict(reach) for name, reach in ledger.reach.items()},
        "journeys": [_plain(asdict(one)) for one in ledger.journeys],
        "messages": _plain(asdict(ledger.waiting)),
        "stopped": [_plain(asdict(one)) for one in ledger.stops.values()],
        "lists": [_plain(asdict(one)) for one in ledger.lists],
        "left_out": [_left_out_json(one) for one in ledger.left_out],
        "last_pass_at": ledger.passed_at.isoformat() if ledger.passed_at else None,
    }


def _left_out_json(one: MessageStop) -> dict[str, Any]:
    made = one.overrule
    return {
        "journey": one.journey,
        "message": one.step,
        "subgroup": one.subgroup,
        "is_stopped": one.is_stopped,
        "overruled_by": None if made is None else made.who,
        "overruled_until": None if made is None else made.until.isoformat(),
        "why": None if made is None else made.why,
    }


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
    }
