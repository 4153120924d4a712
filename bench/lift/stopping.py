"""How often a journey that pays is stopped, and how soon one that does not.

People enter every week for a year and one in ten is held out; a message each, a look a week,
at sums. What messages do is Hillstrom's Mens e-mail, which is worth so much margin, and costs
are a part or a multiple of that. ``python -m bench.lift.stopping`` prints the table.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.lift.populations import Population, World, worlds
from rekindle.experiments import ArmSums, OpenEnded, PowerSums, estimate_lift_from_sums
from rekindle.insights.lifting.stopping import FEWEST
from rekindle.vocabulary import Unknown

WEEKS = 52
A_WEEK = 1_000
HELD_OUT = 0.1
MARGIN = 0.4
GROUPS = 4
"""Subgroups of a journey, as large as each other: three declared, and all others."""
COSTS = (0.5, 0.95, 1.5, 2.0)
"""What a message costs, as a multiple of the margin that it truly earns."""


@dataclass(frozen=True, slots=True)
class Year:
    """By group the week in which it was stopped; 0 where it never was."""

    weeks: tuple[int, ...]


def run(world: World, cost: float, groups: int, rng: np.random.Generator) -> Year:
    """Return when the groups of a journey of one year are stopped, at a look a week."""
    confidence = 1 - (1 - 0.95) / groups
    return Year(tuple(_stop(world, cost, A_WEEK // groups, confidence, rng) for _ in range(groups)))


def _stop(
    world: World, cost: float, people: int, confidence: float, rng: np.random.Generator
) -> int:
    treated, held = ArmSums(0), ArmSums(0)
    number = round(people * HELD_OUT)
    for week in range(1, WEEKS + 1):
        treated += _draw(world.treated, people - number, rng)
        held += _draw(world.held, number, rng)
        if held.gains.count < FEWEST:
            continue
        lift = estimate_lift_from_sums(treated, held, confidence=confidence, watch=OpenEnded())
        if not isinstance(lift, Unknown) and MARGIN * lift.high < cost:
            return week
    return 0


def _draw(population: Population, people: int, rng: np.random.Generator) -> ArmSums:
    return ArmSums(people, PowerSums.of(population.draw(people, rng).values))


def tell(years: Sequence[Year]) -> str:
    """Return in how many journey-years anything stopped, and who is sent to after how long."""
    stopped = [week for year in years for week in year.weeks]
    ever = sum(any(year.weeks) for year in years) / len(years)
    parts = [
        sum(not week or week > by for week in stopped) / len(stopped) for by in (13, 26, WEEKS)
    ]
    still = " / ".join(f"{100 * one:.0f}" for one in parts)
    return f"{100 * ever:.1f} % of years stopped; sent to still after 13/26/52 weeks: {still} %"


def main() -> None:
    """Print the table."""
    number = int(os.environ.get("REKINDLE_BENCH_WORLDS", "300"))
    world = worlds()["Hillstrom", "real Mens e-mail"]
    worth = MARGIN * world.truth
    for groups in (1, GROUPS):
        for multiple in COSTS:
            rng = np.random.default_rng((71, groups, round(100 * multiple)))
            years = [run(world, multiple * worth, groups, rng) for _ in range(number)]
            print(
                f"{groups} group(s), cost {multiple:g} x what it earns: {tell(years)}", flush=True
            )


if __name__ == "__main__":
    main()
