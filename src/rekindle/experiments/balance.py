"""Are the arms as large as they were planned, and alike before anything was sent?

If not, what was assigned is not what is compared.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from scipy.special import gammaincc

from rekindle.vocabulary import Unknown

MISMATCH = 0.001
"""Below this p-value the arms are not what was drawn: Fabijan et al., KDD 2019, p. 2156."""

FEWEST_OF_A_KIND = 10
NEAR_EQUAL = 0.1
"""Arms whose sizes lie no further from equal, in parts of it, were meant to be equal."""


def presume_shares(assigned: Mapping[str, int]) -> dict[str, float]:
    """Return equal shares of arms that are about as large as one another; none of others.

    A holdout of a tenth is no failed half, so what is far from equal is not judged.
    """
    equal = sum(assigned.values()) / max(len(assigned), 1)
    if len(assigned) < 2 or any(abs(n - equal) > NEAR_EQUAL * equal for n in assigned.values()):
        return {}
    return dict.fromkeys(assigned, 1.0)


def find_mismatch(assigned: Mapping[str, int], shares: Mapping[str, float]) -> float | Unknown:
    """Return the chance of arms at least as far from the planned ``shares`` (chi-squared).

    ``shares`` are in any unit, in the proportions that were planned; without any the answer
    is unknown.

    Raises:
        ValueError: a share for an arm that is not there, none for one that is, or none above 0.
    """
    if not shares:
        return Unknown("the planned shares of the arms are not known")
    if unknown := sorted(shares.keys() - assigned.keys()):
        raise ValueError(f"a share is planned for {unknown[0]!r}, but nobody is in that arm")
    if missing := sorted(assigned.keys() - shares.keys()):
        raise ValueError(f"no share is planned for the arm {missing[0]!r}")
    if not all(0 < share < math.inf for share in shares.values()):
        raise ValueError("a planned share must be above 0")
    people, whole = sum(assigned.values()), sum(shares.values())
    planned = {arm: people * share / whole for arm, share in shares.items()}
    distance = sum((assigned[arm] - planned[arm]) ** 2 / planned[arm] for arm in assigned)
    return float(gammaincc((len(assigned) - 1) / 2, distance / 2))


def find_imbalance(one: Sequence[int], other: Sequence[int]) -> float | Unknown:
    """Return the chance of two arms at least so unlike before anything was sent (chi-squared).

    Both count the same kinds of people, in one order. Kinds too rare for the approximation are
    counted as one. Arms that were drawn by lot are as likely as anything to be so unlike; arms
    that were chosen are not.
    """
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if a + b >= FEWEST_OF_A_KIND]
    rest = sum(one) - sum(a for a, _ in pairs), sum(other) - sum(b for _, b in pairs)
    kinds = [*pairs, rest] if sum(rest) else pairs
    first, second = sum(one), sum(other)
    if not first or not second or len(kinds) < 2:
        return Unknown("there are too few kinds of people to compare the arms by")
    distance = 0.0
    for counts in kinds:
        for count, arm in zip(counts, (first, second), strict=True):
            expected = sum(counts) * arm / (first + second)
            distance += (count - expected) ** 2 / expected
    return float(gammaincc((len(kinds) - 1) / 2, distance / 2))
