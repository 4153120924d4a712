"""Are the arms as large as they were planned? If not, what was assigned is not what is compared."""

from __future__ import annotations

import math
from collections.abc import Mapping

from scipy.special import gammaincc

from rekindle.vocabulary import Unknown

MISMATCH = 0.001
"""Below this p-value the arms are not what was drawn: Fabijan et al., KDD 2019, p. 2156."""


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
