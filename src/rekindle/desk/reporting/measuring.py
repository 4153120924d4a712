"""Reads journeys out of the ledger, measures them, and shows the query behind a figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from difflib import get_close_matches

from rekindle.consent import OPENS, OpensMode
from rekindle.desk.reporting.journeys import load_record, require_started
from rekindle.errors import JourneyError, UsageError
from rekindle.facts import find_known_until
from rekindle.insights import (
    ASSIGNED,
    CATALOGUE,
    MeasuredPeople,
    MeasureTable,
    RateReconciliation,
    build_queries,
    find_reactivation,
    gather,
    list_ways,
    measure,
    reconcile_rates,
)
from rekindle.ledger import Looks, load_agreed, write_query
from rekindle.runtime import Workspace
from rekindle.vocabulary import Unknown

EVERY_JOURNEY = "every journey"
_NO_OPENINGS = Unknown(
    "openings may be measured of people who agreed alone, and `[tracking] opens` is not "
    "'consent' in rekindle.toml"
)
_NO_CLICKS = Unknown(
    "no click was ever heard of, and links are counted only where `[shop] url` or `hosts` says "
    "which are the shop's own"
)


def measure_journeys(
    workspace: Workspace,
    name: str = "",
    *,
    by: str = "",
    definition: str = ASSIGNED,
    is_look: bool = True,
) -> MeasureTable:
    """Return the measures of a journey, or of all that were ever started.

    ``definition`` names what counts as reactivated. Somebody sees how the arms differ by them,
    which a reading date counts as a look, unless ``is_look`` says that nobody does.

    Raises:
        JourneyError: no such journey was ever started here, or none at all.
        UsageError: people cannot be told apart by that, or there is no such definition.
    """
    if by and by not in list_ways():
        raise UsageError(_say_ways(by))
    find_reactivation(definition)
    population = _gather(workspace, name)
    if is_look:
        _note_looks(workspace, population)
    population = replace(population, definition=definition)
    return measure(population, about=name or EVERY_JOURNEY, by=by)


def reconcile_journeys(
    workspace: Workspace, one: str, other: str, name: str = ""
) -> RateReconciliation:
    """Return on whom two definitions of reactivated differ, in a journey or in all.

    Raises:
        JourneyError: no such journey was ever started here, or none at all.
        UsageError: there is no such definition.
    """
    population = _gather(workspace, name)
    return reconcile_rates(population, about=name or EVERY_JOURNEY, one=one, other=other)


def _gather(workspace: Workspace, name: str) -> MeasuredPeople:
    engine, facts = reading = workspace.reading
    known = find_known_until(reading, workspace.clock.now())
    shop = workspace.config.shop
    mode = OpensMode(workspace.config.tracking.opens)
    population = gather(
        [load_record(workspace, one) for one in _names(workspace, name)],
        facts,
        engine,
        until_on=known.astimezone(workspace.zone).date(),
        agreed=load_agreed(workspace.ledger, OPENS),
        openings=None if mode is OpensMode.CONSENT else _NO_OPENINGS,
        clicks=None if shop.url or shop.hosts else _NO_CLICKS,
    )
    if shop.acquisition_cost is None:
        return population
    return replace(population, acquisition=float(shop.acquisition_cost))


def _note_looks(workspace: Workspace, population: MeasuredPeople) -> None:
    for name, one in population.journeys.items():
        if one.reading.costs_a_look:
            Looks(workspace.ledger).note(name, _today(workspace), one.record.settled_until)


def explain_measure(workspace: Workspace, measured: str, name: str = "") -> str:
    """Return what a measure says, over which time, and the queries behind it.

    They are of the journey ``name``, or of the first one where none is named.

    Raises:
        UsageError: there is no such measure.
        JourneyError: no such journey was ever started here, or none at all.
    """
    declared = CATALOGUE.get(measured.strip().replace(" ", "_").replace("-", "_"))
    if declared is None:
        near = get_close_matches(measured, list(CATALOGUE), 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(CATALOGUE)}"
        raise UsageError(f"there is no measure {measured!r}; {hint}")
    asked = _names(workspace, name)[0]
    lines = [
        f"{declared.title}: {declared.formula}",
        f"window: {declared.window}",
        f"from: {declared.source}",
        *_queries(workspace, asked, declared.reads),
    ]
    return "\n".join(lines)


def _queries(workspace: Workspace, name: str, reads: Sequence[str]) -> Iterator[str]:
    """Yield the queries behind a figure, in the languages of the two stores."""
    if not reads:
        yield f"its people: `rekindle assignments {name} --csv FILE`"
        return
    engine, facts = workspace.reading
    asked = build_queries(load_record(workspace, name), facts, engine)
    for one in reads:
        if one not in asked:
            yield f"\n-- {one}, asked of the ledger about {name}"
            yield write_query(workspace.ledger, one)
            continue
        query = asked[one]
        yield f"\n-- {one}, asked of the facts about {name}"
        yield f"-- {query.reason}" if isinstance(query, Unknown) else engine.write_query(query)


def _names(workspace: Workspace, name: str) -> list[str]:
    if name:
        require_started(workspace, name)
        return [name]
    names = list(workspace.history.journeys())
    if not names:
        raise JourneyError("no journey was ever started here; `rekindle start` starts one")
    return names


def _say_ways(by: str) -> str:
    return f"--by {by}: people are told apart by {', '.join(list_ways())}"


def _today(workspace: Workspace) -> date:
    return workspace.clock.now().astimezone(workspace.zone).date()
