"""Whether sums over journeys hold the truth, as ``rekindle measures`` adds them up.

Each journey has its own effect and holdout, and draws its arms by itself: among people of its own,
or among the same people, of whom those who buy much in one journey buy much in the next. Beside
the misses stands how wide the interval is against the one that the spread of these worlds needs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.lift.populations import Amounts as Floats
from bench.lift.populations import Population, World, worlds
from rekindle.experiments import ArmOutcome, Lift, estimate_lift
from rekindle.insights.lifting import add_up
from rekindle.vocabulary import Unknown

DRAWN = int(os.environ.get("REKINDLE_BENCH_WORLDS", "500"))
DEALS = 999
COUNTS = (2, 3, 5)
SHARES = (0.1, 0.5, 0.2, 0.05, 0.3)
"""The holdouts of the first journey, the second, and so on."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often the truth lies below and above intervals, in percent, and how wide they are.

    Of sums the width is against the needed.
    """

    below: float
    above: float
    width: float

    @property
    def misses(self) -> float:
        """Return the share of intervals that miss the truth, in percent."""
        return self.below + self.above


Sums = Mapping[tuple[str, str, int], Coverage]
"""By what the journeys do, whose people they are, and how many there are."""


def try_sums() -> Sums:
    """Return what becomes of the sums of journeys that run beside each other."""
    of = worlds()
    effects = ("buyers x 1.5", "none", "baskets x 0.6", "30 % of buyers lost", "baskets x 1.5")
    programmes = {
        (name, told): [of[name, effect] for effect in these]
        for name in ("Online Retail", "Hillstrom")
        for told, these in (("no effect", ["none"] * len(SHARES)), ("gains and harm", effects))
    }
    return {
        (f"{name}, {told}", whose, count): found
        for seed, ((name, told), journeys) in enumerate(programmes.items())
        for whose in ("other people", "the same people")
        for count, found in _try(journeys, seed, are_same=whose == "the same people").items()
    }


def tell_sums(table: Sums) -> Iterator[str]:
    """Yield the table line by line: misses in percent (interval above truth), width."""
    yield f"{'sums of so many journeys: misses in %, width':<52}" + _cells(map(str, COUNTS))
    for name, whose in dict.fromkeys(key[:2] for key in table):
        found = [table[name, whose, count] for count in COUNTS]
        told = (f"{one.misses:.1f} ({one.below:.1f}) {one.width:.2f}" for one in found)
        yield f"{f'{name}, {whose}':<52}" + _cells(told)


def _cells(told: Iterator[str]) -> str:
    return "".join(f"{cell:>17}" for cell in told)


def _try(journeys: Sequence[World], seed: int, *, are_same: bool) -> Mapping[int, Coverage]:
    """Return what becomes of the sums of the first journeys, by how many these are."""
    rng = np.random.default_rng((67, seed, are_same))
    runs = [_run(journeys, rng, number, are_same=are_same) for number in range(DRAWN)]
    found = {}
    for count in COUNTS:
        sums = [add_up(run[:count]) for run in runs]
        truth = sum(
            world.truth * treated
            for world, (_, treated) in zip(journeys[:count], runs[0], strict=False)
        )
        low, middle, high = (
            np.array([getattr(one, end) for one in sums]) for end in ("low", "value", "high")
        )
        needed = float(np.subtract(*np.quantile(middle, (0.975, 0.025))))
        found[count] = Coverage(
            below=100 * float(np.mean(low > truth)),
            above=100 * float(np.mean(high < truth)),
            width=float(np.median(high - low)) / needed,
        )
    return found


def _run(
    journeys: Sequence[World], rng: np.random.Generator, seed: int, *, are_same: bool
) -> list[tuple[Lift, int]]:
    """Return the lift of each journey of one world, and how many were treated."""
    size = journeys[0].people
    tastes = rng.random((2, size))
    told = []
    for world, share in zip(journeys, SHARES, strict=True):
        if not are_same:
            tastes = rng.random((2, size))
        order, held = rng.permutation(size), round(size * share)
        treatment = _buy(world.treated, tastes[:, order[held:]])
        holdout = _buy(world.held, tastes[:, order[:held]])
        lift = estimate_lift(treatment, holdout, draws=DEALS, seed=seed)
        if isinstance(lift, Unknown):
            raise RuntimeError(lift.reason)
        told.append((lift, treatment.assigned))
    return told


def _buy(population: Population, tastes: Floats) -> ArmOutcome:
    """Return what people do: one taste says whether they buy or bring back, one how much."""
    whether, much = tastes
    drawn = (
        np.quantile(amounts, much[who], method="inverted_cdf")
        for amounts, who in (
            (population.amounts, whether < population.buying),
            (population.refunds, whether > 1 - population.returning),
        )
        if who.any()
    )
    return ArmOutcome(whether.size, tuple(float(one) for of in drawn for one in of))
