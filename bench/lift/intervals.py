"""False alarms and coverage of the lift's interval, by size of holdout and kind of effect."""

from __future__ import annotations

import os
import resource
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.lift.adding import Coverage, Sums, tell_sums, try_sums
from bench.lift.populations import World, worlds
from bench.lift.watching import RULES, watch
from bench.measure import MB, Result
from rekindle.experiments import Lift, estimate_lift
from rekindle.vocabulary import Unknown

SHARES = (0.05, 0.1, 0.2, 0.3, 0.5)
# 2,000 tell 5 % from 4 or 6; 500 are enough to see a broken method, in a tenth of an hour.
DRAWN = int(os.environ.get("REKINDLE_BENCH_WORLDS", "500"))
DEALS = 999
# The rules that promise something over all looks together, and what they promise.
KEPT = RULES[1:]
MOST_ALARMS = 5.7
COVERS = (3, 7)
"""The misses in percent of an interval that covers as it says."""


@dataclass(frozen=True, slots=True)
class Cell(Coverage):
    """One holdout and effect: its width is the middle one, and how often 0 is left out."""

    shown: float


def lift() -> Result:
    """Print the table and return how many of its cells lie outside what is promised."""
    table = {
        (*names, share): _try(world, share, seed)
        for seed, (names, world) in enumerate(worlds().items())
        for share in SHARES
    }
    _print(table)
    watched = _watch_all()
    sums = _add_all()
    outside = [names for names, cell in table.items() if not _is_kept(names, cell)]
    off = [one for one in sums.values() if not COVERS[0] <= one.misses <= COVERS[1]]
    late = [rules for rules in watched.values() for rule in KEPT if rules[rule] > MOST_ALARMS]
    wrong, cells = len(outside) + len(late) + len(off), len(table) + len(sums)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB
    return Result(
        wrong,
        cells,
        round(wrong / cells, 3),
        "cells",
        round(peak),
        0.1,
        f"cells of the first table outside 4-6 % false alarms or 93-97 % coverage, rules above "
        f"{MOST_ALARMS} % over 28 looks, and sums outside 93-97 % coverage; {DRAWN:,} worlds each, "
        "so a cell that is right lies outside now and then",
    )


def _add_all() -> Sums:
    """Print and return what becomes of sums over journeys."""
    sums = try_sums()
    for line in ("", *tell_sums(sums)):
        sys.stderr.write(line + "\n")
    return sums


def _watch_all() -> dict[tuple[str, float], dict[str, float]]:
    """Print and return the false alarms over 28 daily looks, by list, holdout and rule."""
    found = {
        (name, share): watch(world, share, worlds=DRAWN, seed=seed)
        for seed, ((name, effect), world) in enumerate(worlds().items())
        for share in SHARES
        if effect == "none"
    }
    say = sys.stderr.write
    title = "false alarms in %, 28 daily looks"
    say(f"\n{title:<44}" + "".join(f"{share:>9.0%}" for share in SHARES) + "\n")
    for name in dict.fromkeys(name for name, _ in found):
        for rule in RULES:
            cells = (f"{found[name, share][rule]:.1f}" for share in SHARES)
            say(f"{name + ', ' + rule:<44}" + "".join(f"{cell:>9}" for cell in cells) + "\n")
    return found


def _is_kept(names: tuple[str, str, float], cell: Cell) -> bool:
    least, most = (4, 6) if names[1] == "none" else COVERS
    return least <= cell.misses <= most


def _try(world: World, share: float, seed: int) -> Cell:
    rng = np.random.default_rng((41, seed, round(share * 100)))
    held = round(world.people * share)
    found: list[Lift] = []
    for number in range(DRAWN):
        treatment = world.treated.draw(world.people - held, rng)
        holdout = world.held.draw(held, rng)
        one = estimate_lift(treatment, holdout, draws=DEALS, seed=number)
        if isinstance(one, Unknown):
            raise RuntimeError(one.reason)
        found.append(one)
    return Cell(
        below=100 * statistics.mean(one.low > world.truth for one in found),
        above=100 * statistics.mean(one.high < world.truth for one in found),
        width=statistics.median(one.high - one.low for one in found),
        shown=100 * statistics.mean(one.p_value <= 0.05 for one in found),
    )


def _print(table: dict[tuple[str, str, float], Cell]) -> None:
    """Print misses (interval above the truth / below it), widths and what is shown."""
    say = sys.stderr.write
    columns: dict[str, Callable[[Cell], str]] = {
        "misses in % (interval above truth)": lambda cell: f"{cell.misses:.1f} ({cell.below:.1f})",
        "middle width": lambda cell: f"{cell.width:.2f}",
        "leaves out 0, in %": lambda cell: f"{cell.shown:.0f}",
    }
    for title, pick in columns.items():
        say(f"\n{title:<36}" + "".join(f"{share:>13.0%}" for share in SHARES) + "\n")
        for name, effect in dict.fromkeys(names[:2] for names in table):
            cells = (pick(table[name, effect, share]) for share in SHARES)
            say(f"{name + ', ' + effect:<36}" + "".join(f"{cell:>13}" for cell in cells) + "\n")
