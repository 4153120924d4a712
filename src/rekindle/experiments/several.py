"""Several arms against one holdout: the more are looked at, the sooner one shines by chance.

The level is shared by the least p-value over the arms, whose distribution comes from
dealing everybody into all the arms at once (Westfall & Young, Resampling-Based Multiple
Testing, 1993). That knows that all differences share one holdout, which Bonferroni does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rekindle.experiments.lift import DEFAULT_DRAWS, DEFAULT_SEED
from rekindle.experiments.permutation import Draws, deal_sums
from rekindle.experiments.sums import ArmSums


@dataclass(frozen=True, slots=True)
class SharedLevel:
    """What p-values and intervals of single arms have to be, so that all together hold.

    ``confidence`` is the level of each arm's own interval.
    """

    confidence: float
    least: Draws

    def adjust(self, p_value: float) -> float:
        """Return the chance that the least p-value of all arms is at most ``p_value``."""
        smaller = int(self.least.searchsorted(p_value * (1 + 1e-9), side="right"))
        return max(p_value, (1 + smaller) / (self.least.size + 1))


def share_level(
    holdout: ArmSums,
    arms: Mapping[str, ArmSums],
    values: list[float] | None,
    *,
    confidence: float = 0.95,
) -> SharedLevel:
    """Return the level that several ``arms`` share over one ``holdout``.

    ``values`` are the numbers of everybody that are not zero; without them (too many to
    deal) the means are taken as normal, with their common holdout.
    """
    rng = np.random.default_rng(DEFAULT_SEED)
    sizes = [holdout.assigned, *(arm.assigned for arm in arms.values())]
    if values is None:
        means = [rng.standard_normal(DEFAULT_DRAWS) / size**0.5 for size in sizes]
    else:
        sums = deal_sums(sizes, values, draws=DEFAULT_DRAWS, rng=rng)
        means = [total / size for total, size in zip(sums, sizes, strict=True)]
    chances = [_two_sided(mean - means[0]) for mean in means[1:]]
    least = np.sort(np.minimum.reduce(chances))
    rank = int((1 - confidence) * (least.size + 1) + 1e-9)
    return SharedLevel(1 - float(least[max(rank, 1) - 1]), least)


def _two_sided(differences: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the p-value of each deal among all of them."""
    ordered = np.sort(differences)
    below = ordered.searchsorted(differences, side="right")
    above = ordered.size - ordered.searchsorted(differences, side="left")
    return np.minimum(2 * np.minimum(below, above) / ordered.size, 1.0)
