"""False alarms when somebody looks every day for four weeks at an experiment without effect.

Everybody is assigned on the first day; each purchase falls on a day by lot. The figures of a
day are those of a report on that day: sums so far, at the level of that look.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.lift.populations import Population, World
from rekindle.experiments import (
    ArmSums,
    ComingBack,
    OpenEnded,
    PowerSums,
    ReadingDate,
    Return,
    Watch,
    ask,
    find_confidence,
    find_trouble,
    follow_returns,
)
from rekindle.vocabulary import Unknown

DAYS = 28
RULES = ("once a day, as if once", "reading date", "open-ended", "are they coming back?")


def watch(world: World, share: float, *, worlds: int, seed: int) -> dict[str, float]:
    """Return by rule how often, in percent, a difference was ever shown where none was."""
    rng = np.random.default_rng((42, seed, round(share * 100)))
    held = round(world.people * share)
    alarms = dict.fromkeys(RULES, 0)
    for _ in range(worlds):
        arms = [_draw(world.held, n, rng) for n in (world.people - held, held)]
        for rule in _alarmed(arms):
            alarms[rule] += 1
    return {rule: 100 * count / worlds for rule, count in alarms.items()}


def _draw(
    population: Population, people: int, rng: np.random.Generator
) -> tuple[int, NDArray[np.float64], NDArray[np.int64]]:
    """Return an arm: its people, what was bought, and on which day each of it was."""
    bought = np.array(population.draw(people, rng).values)
    return people, bought, rng.integers(1, DAYS + 1, bought.size)


def _alarmed(arms: list[tuple[int, NDArray[np.float64], NDArray[np.int64]]]) -> set[str]:
    """Return the rules that showed a difference on any day."""
    found: set[str] = set()
    looks: list[float] = []
    for day in range(1, DAYS + 1):
        treatment, holdout = (_until(arm, day) for arm in arms)
        elapsed = day / DAYS
        watches = {RULES[0]: None, RULES[1]: ReadingDate(elapsed, looks), RULES[2]: OpenEnded()}
        found |= {
            rule
            for rule, watch in watches.items()
            if rule not in found and _is_shown(treatment, holdout, watch)
        }
        looks.append(elapsed)
    # Within a day the order is by lot: days of the same number are broken by the amount.
    ordered = sorted(
        (day, amount, is_treated)
        for is_treated, (_, bought, days) in zip((True, False), arms, strict=True)
        for day, amount in zip(days, bought, strict=True)
        if amount > 0
    )
    back = follow_returns(list(_as_returns(ordered, [arm[0] for arm in arms])))
    if isinstance(back, ComingBack) and back.is_shown:
        found.add(RULES[3])
    return found


def _as_returns(ordered: list[tuple[int, float, bool]], people: list[int]) -> list[Return]:
    """Return each return beside the treated share of those still away."""
    treated, held = people
    told = []
    for _, _, is_treated in ordered:
        told.append(Return(is_treated, treated / (treated + held)))
        treated, held = treated - is_treated, held - (not is_treated)
    return told


def _until(arm: tuple[int, NDArray[np.float64], NDArray[np.int64]], day: int) -> ArmSums:
    people, bought, days = arm
    seen = bought[days <= day]
    return ArmSums(people, PowerSums.of(seen[seen > 0]), PowerSums.of(seen[seen < 0]))


def _is_shown(treatment: ArmSums, holdout: ArmSums, watch: Watch) -> bool:
    """Return whether the interval of this look leaves out 0; its ends are not needed."""
    if find_trouble(treatment, holdout):
        return False
    buyers = treatment.count + holdout.count
    level = find_confidence(watch, buyers=buyers, confidence=0.95)
    if isinstance(level, Unknown):
        return False
    return ask(treatment, holdout, level).ask_gamma().p_value <= 1 - level
