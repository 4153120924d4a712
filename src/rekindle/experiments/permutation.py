"""Deals the people of all arms anew, many times, and sums what each arm then has.

Only people whose number is not zero are dealt; the zeros are what is left over. So 64,000
people of whom 400 bought cost as little as the 400.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

Draws = NDArray[np.float64]

# Sums of the same money in another order differ by rounding; that is still a tie.
TIE = 1e-12

# One hypergeometric draw takes about as long as thirty single coin flips.
_SHORT_RUN = 30


def deal_sums(
    sizes: Sequence[int], values: Sequence[float], *, draws: int, rng: np.random.Generator
) -> list[Draws]:
    """Return, for each arm of ``sizes`` people, its sum in each of ``draws`` deals.

    ``values`` are the numbers of everyone, in any order, the zeros left out. Sampling
    without replacement, one distinct value after the other: how many people with this
    value go to an arm that still has so many places. Ties that are many count once.
    """
    sums = [np.zeros(draws) for _ in sizes]
    places = [np.full(draws, size, dtype=np.int64) for size in sizes]
    left = sum(sizes)
    for value, count in _cells(sorted(values)):
        remaining, unseated = np.full(draws, count, dtype=np.int64), np.full(draws, left)
        for arm, free in enumerate(places[:-1]):
            seated = _seat(remaining, free, unseated, rng)
            sums[arm] += value * seated
            remaining -= seated
            unseated -= free
            np.subtract(free, seated, out=free)
        sums[-1] += value * remaining
        places[-1] -= remaining
        left -= count
    return sums


def _seat(
    people: NDArray[np.int64],
    free: NDArray[np.int64],
    unseated: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Return how many of ``people`` go to an arm with ``free`` of the ``unseated`` places."""
    if people.max(initial=0) > 1:
        return rng.hypergeometric(free, unseated - free, people)
    return np.asarray((rng.random(people.size) * unseated < free) & (people > 0), dtype=np.int64)


def _cells(values: Sequence[float]) -> Iterator[tuple[float, int]]:
    """Yield each value with its count; a short run of ties comes one by one."""
    for value, group in groupby(values):
        count = len(tuple(group))
        yield from [(value, count)] if count > _SHORT_RUN else [(value, 1)] * count
