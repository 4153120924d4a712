"""Whether a journey's model holds the truth of single people, and whom it holds back wrongly.

Made-up shops, a fifth of whose people are held out, and what a message costs is worth one
return in a hundred. ``logit`` moves people as the model supposes, ``step`` people of three
order days or more by 6 points and others by −1, ``same`` everybody by 4.
``python -m bench.lift.persons`` prints the table.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.special import expit

from rekindle.predictions import Histories, MovingModel, Participant, fit_moving
from rekindle.predictions.histories import Floats

KINDS = ("logit", "step", "same")
SIZES = (10_000, 40_000)
ENTRY, HELD_OUT, COST = 1_501, 0.2, 0.01


@dataclass(frozen=True, slots=True)
class Judged:
    """Of one shop: whether the model passed, and shares of the people."""

    is_passed: bool
    above: float
    held_back: float
    wrongly: float


def judge(seed: int, size: int, kind: str) -> Judged:
    """Return how the model of a shop does: ``wrongly`` is a share of those it holds back."""
    rng = np.random.default_rng(seed)
    histories = _shop(rng, size)
    held, treated = _chances(histories, kind)
    is_treated = rng.random(size) >= HELD_OUT
    is_back = rng.random(size) < np.where(is_treated, treated, held)
    drawn = [
        Participant(person, bool(is_treated[n]), ENTRY, bool(is_back[n]))
        for n, person in enumerate(histories.people)
    ]
    model = fit_moving(histories, drawn)
    assert isinstance(model, MovingModel)
    _, _, high = model.estimate(histories.known(ENTRY), ENTRY)
    truth, is_out = treated - held, high < COST
    above = float((truth > high).mean())
    if not model.judged.may_exclude or not is_out.any():
        return Judged(model.judged.may_exclude, above, 0.0, 0.0)
    return Judged(True, above, float(is_out.mean()), float((truth[is_out] >= COST).mean()))


def _shop(rng: np.random.Generator, size: int) -> Histories:
    """Return people with some order days up to half a year before they enter."""
    counts = 1 + rng.poisson(2, size)
    person = np.repeat(np.arange(size), counts)
    rng.integers(0, 600, person.size)
    gaps = rng.integers(1, 120, person.size)
    day = np.empty(person.size, dtype=np.int64)
    start = 0
    for count in counts:
        days = np.cumsum(gaps[start : start + count])
        day[start : start + count] = days - days[-1] + 1_500 - rng.integers(0, 300)
        start += count
    worth = rng.gamma(2, 20, person.size)
    ids = tuple(f"p{number:06}" for number in range(size))
    return Histories(ids, person, day, worth, np.zeros(person.size), has_units=False)


def _chances(histories: Histories, kind: str) -> tuple[Floats, Floats]:
    """Return the chance of everybody's return without the message, and with it."""
    known = histories.known(ENTRY)
    if kind == "logit":
        often, silence = np.log1p(known.count - 1), np.log(ENTRY - known.last) - 4.8
        base = -2 + 0.4 * often - 0.5 * silence
        return np.asarray(expit(base)), np.asarray(expit(base + 0.5 * (often - 0.7)))
    held = np.where(known.count > 2, 0.2, 0.1)
    step = np.where(known.count > 2, 0.06, -0.01)
    return held, held + (step if kind == "step" else 0.04)


def main() -> None:
    """Print the table."""
    number = int(os.environ.get("REKINDLE_BENCH_WORLDS", "20"))
    for kind, size in product(KINDS, SIZES):
        found = [judge(seed, size, kind) for seed in range(number)]
        above, held, wrongly = (
            100 * float(np.mean([getattr(one, name) for one in found]))
            for name in ("above", "held_back", "wrongly")
        )
        print(
            f"{kind}, {size:,} people: {sum(one.is_passed for one in found)} of {number} passed; "
            f"truth above the upper end {above:.1f} %; held back {held:.1f} %, of whom wrongly "
            f"{wrongly:.1f} %",
            flush=True,
        )


if __name__ == "__main__":
    main()
