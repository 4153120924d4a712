"""How often a journey that pays is stopped, how soon one that does not, and what begins again.

People enter every week for a year and one in ten is held out; a message each, a look a week,
at sums. What messages do is Hillstrom's Mens e-mail, which is worth so much margin, and costs
are a part or a multiple of that. Once it is stopped one in ten of the treated gets it still,
and it goes to everybody again where these show that it pays, for as long as they do.
``python -m bench.lift.stopping`` prints the table.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from bench.lift.populations import Population, World, worlds
from rekindle.experiments import ArmSums, Lift, OpenEnded, PowerSums, estimate_lift_from_sums
from rekindle.insights.lifting.stopping import FEWEST
from rekindle.vocabulary import Unknown

WEEKS = 52
A_WEEK = 1_000
HELD_OUT = 0.1
KEPT_ON = 0.1
MARGIN = 0.4
GROUPS = 4
"""Subgroups of a journey, as large as each other: three declared, and all others."""
COSTS = (0.5, 0.95, 1.05, 1.5, 2.0)
"""What a message costs, as a multiple of the margin that it truly earns."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a group: the week in which it stopped, 0 for never, and what came after.

    ``again`` is how often it began again, ``weeks_again`` how many weeks it was sent for so.
    """

    stopped: int = 0
    again: int = 0
    weeks_again: int = 0


@dataclass(frozen=True, slots=True)
class Year:
    """What became of each group of a journey in a year."""

    fates: tuple[Fate, ...]


def run(
    world: World, cost: float, groups: int, rng: np.random.Generator, *, is_stopped: bool = False
) -> Year:
    """Return what becomes of the groups of a journey in one year, at a look a week.

    Where it ``is_stopped``, all of them were stopped when the year began.
    """
    look, people = _Look(cost, 1 - (1 - 0.95) / groups), A_WEEK // groups
    before = Fate(stopped=1 if is_stopped else 0)
    return Year(tuple(_follow(world, look, people, before, rng) for _ in range(groups)))


@dataclass(frozen=True, slots=True)
class _Look:
    cost: float
    confidence: float

    def stops(self, treated: ArmSums, held: ArmSums) -> bool:
        lift = self._lift(treated, held)
        return lift is not None and MARGIN * lift.high < self.cost

    def begins_again(self, kept_on: ArmSums, stopped: ArmSums) -> bool:
        lift = self._lift(kept_on, stopped)
        return lift is not None and MARGIN * lift.low >= self.cost

    def _lift(self, sent: ArmSums, not_sent: ArmSums) -> Lift | None:
        if min(sent.gains.count, not_sent.gains.count) < FEWEST:
            return None
        found = estimate_lift_from_sums(
            sent, not_sent, confidence=self.confidence, watch=OpenEnded()
        )
        return None if isinstance(found, Unknown) else found


def _follow(world: World, look: _Look, people: int, fate: Fate, rng: np.random.Generator) -> Fate:
    """Return what becomes of a group of which so many enter every week.

    The held out are not compared any more once it has stopped: who enters then gets nothing.
    """
    treated, held = ArmSums(0), ArmSums(0)
    kept_on, stopped_at = ArmSums(0), ArmSums(0)
    number = round(people * HELD_OUT)
    is_sent = not fate.stopped
    for week in range(1, WEEKS + 1):
        if not fate.stopped:
            treated += _draw(world.treated, people - number, rng)
            held += _draw(world.held, number, rng)
            if look.stops(treated, held):
                fate, is_sent = Fate(week), False
            continue
        if is_sent:  # nobody is kept on: all of them get it
            fate = replace(fate, weeks_again=fate.weeks_again + 1)
            continue
        still = round((people - number) * KEPT_ON)
        kept_on += _draw(world.treated, still, rng)
        stopped_at += _draw(world.held, people - number - still, rng)
        if look.begins_again(kept_on, stopped_at):
            fate, is_sent = replace(fate, again=fate.again + 1), True
    return fate


def _draw(population: Population, people: int, rng: np.random.Generator) -> ArmSums:
    return ArmSums(people, PowerSums.of(population.draw(people, rng).values))


def tell(years: Sequence[Year]) -> str:
    """Return in how many journey-years anything stopped or began again, and who is sent to."""
    fates = [fate for year in years for fate in year.fates]
    ever = sum(any(one.stopped for one in year.fates) for year in years) / len(years)
    again = sum(any(one.again for one in year.fates) for year in years) / len(years)
    parts = [
        sum(not one.stopped or one.stopped > by for one in fates) / len(fates)
        for by in (13, 26, WEEKS)
    ]
    still = " / ".join(f"{100 * one:.0f}" for one in parts)
    return (
        f"{100 * ever:.1f} % of years stopped; sent to still after 13/26/52 weeks: {still} %; "
        f"began again in {100 * again:.1f} % of years"
    )


def tell_again(years: Sequence[Year]) -> str:
    """Return of groups that were stopped from the first week how many began again, how long."""
    fates = [fate for year in years for fate in year.fates]
    ever = sum(any(one.again for one in year.fates) for year in years) / len(years)
    groups = sum(one.again > 0 for one in fates) / len(fates)
    weeks = sum(one.weeks_again for one in fates) / (WEEKS * len(fates))
    return (
        f"began again in {100 * ever:.1f} % of years, {100 * groups:.1f} % of groups, "
        f"and was sent for {100 * weeks:.1f} % of all weeks"
    )


def main() -> None:
    """Print both tables: from a year in which all is sent, and from one in which nothing is."""
    number = int(os.environ.get("REKINDLE_BENCH_WORLDS", "300"))
    world = worlds()["Hillstrom", "real Mens e-mail"]
    worth = MARGIN * world.truth
    for is_stopped in (False, True):
        print("stopped from the first week" if is_stopped else "sent from the first week")
        for groups, multiple in product((1, GROUPS), COSTS):
            rng = np.random.default_rng((71, groups, round(100 * multiple)))
            cost = multiple * worth
            years = [run(world, cost, groups, rng, is_stopped=is_stopped) for _ in range(number)]
            told = tell_again(years) if is_stopped else tell(years)
            print(f"{groups} group(s), cost {multiple:g} x what it earns: {told}", flush=True)


if __name__ == "__main__":
    main()
