"""What a return model foresees in a shop whose journey writes to whoever has been silent long.

``python -m tests.predictions.selection`` prints the table of docs/decisions/0092.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rekindle.predictions.histories import Histories
from rekindle.predictions.returns import fit_returns
from rekindle.vocabulary import Unknown

PEOPLE, END, AS_OF, HORIZON = 20_000, 730, 640, 90
NEVER = 10**9


@dataclass(frozen=True)
class Shop:
    """Purchases as pairs of person and day, and when each person was first written to."""

    person: np.ndarray
    day: np.ndarray
    written_on: np.ndarray
    is_held_out: np.ndarray


@dataclass(frozen=True)
class Foreseen:
    """Shares of the silent: foreseen, and who came; ``alone`` are those of the held out."""

    everybody: float
    unwritten: float
    came: float
    came_alone: float


def simulate(*, writes_after: int, held_out: float, effect: float, seed: int = 1) -> Shop:
    """Return two years of a shop, half of whose people buy every 40 days and half every 250.

    Its journey writes after so many days of silence to all but the held out; a message brings
    the next purchase of a part (``effect``) of those it reaches within two weeks.
    """
    draw = np.random.default_rng(seed)
    person, day = [], []
    written_on = np.full(PEOPLE, NEVER)
    is_held_out = draw.random(PEOPLE) < held_out
    for one in range(PEOPLE):
        mean = 40 if draw.random() < 0.5 else 250
        at = int(draw.integers(0, 400))
        while at < END:
            person.append(one)
            day.append(at)
            gap = max(1, int(draw.exponential(mean)))
            if gap > writes_after and at + writes_after < END and not is_held_out[one]:
                written_on[one] = min(written_on[one], at + writes_after)
                if draw.random() < effect:
                    gap = min(gap, writes_after + int(draw.integers(1, 15)))
            at += gap
    return Shop(np.array(person), np.array(day), written_on, is_held_out)


def foresee(shop: Shop) -> Foreseen:
    """Return what is foreseen of those silent for 30 days, by two ways to choose who teaches."""
    past = shop.day < AS_OF
    is_known = np.zeros(PEOPLE, dtype=bool)
    is_known[shop.person[past]] = True
    whole = _histories(shop, past, is_known)
    known = whole.known(AS_OF + 1)
    is_silent = AS_OF - known.last >= 30

    def told_by(teaches: np.ndarray) -> float:
        model = fit_returns(_histories(shop, past, teaches), AS_OF)
        assert not isinstance(model, Unknown)
        chance, _ = model.estimate(known, AS_OF, HORIZON)
        return float(chance[is_silent].mean())

    came = np.zeros(PEOPLE, dtype=bool)
    came[shop.person[(shop.day >= AS_OF) & (shop.day < AS_OF + HORIZON)]] = True
    ids = np.flatnonzero(is_known)[is_silent]
    alone = ids[shop.is_held_out[ids]]
    return Foreseen(
        told_by(is_known),
        told_by(is_known & (shop.written_on >= AS_OF)),
        float(came[ids].mean()),
        float(came[alone].mean()),
    )


def _histories(shop: Shop, past: np.ndarray, chosen: np.ndarray) -> Histories:
    place = np.full(PEOPLE, -1)
    ids = np.flatnonzero(chosen)
    place[ids] = np.arange(len(ids))
    own = past & chosen[shop.person]
    pairs = np.unique(np.stack([place[shop.person[own]], shop.day[own]], axis=1), axis=0)
    people = tuple(f"c{one}" for one in ids)
    spent = np.full(len(pairs), 30.0)
    return Histories(people, pairs[:, 0], pairs[:, 1], spent, np.zeros(len(pairs)), False)


def main() -> None:
    """Print the table."""
    for after in (90, 180):
        for held in (0.1, 0.3):
            for effect in (0.0, 0.1):
                found = foresee(simulate(writes_after=after, held_out=held, effect=effect))
                print(
                    f"| {after} days | {held:.0%} | {effect:.0%} | {found.came:.3f} | "
                    f"{found.came_alone:.3f} | {found.everybody:.3f} | {found.unwritten:.3f} |"
                )


if __name__ == "__main__":
    main()
