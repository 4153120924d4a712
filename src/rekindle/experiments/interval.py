"""Turns a test of each true difference into an interval: all that are not rejected."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from rekindle.experiments.hypothesis import Hypotheses, skewed_quantile, skewed_share
from rekindle.experiments.permutation import TIE, Draws

_FARTHEST_DOUBLING = 40
_HALVINGS = 45


@dataclass(frozen=True, slots=True)
class ChanceReach:
    """How far chance takes a difference when there is none, and how likely the observed is.

    ``low`` and ``high`` count in standard errors; None is what a gamma with the skewness
    at no difference says. ``p_value`` is two-sided.
    """

    low: float | None
    high: float | None
    p_value: float


@dataclass(frozen=True, slots=True)
class LiftQuestion:
    """An observed difference, what chance does to it, and how sure an interval is to be.

    ``factor`` is what the variance is multiplied by: above 1 where people come in
    clusters, below where what was known before explains a part.
    """

    difference: float
    hypotheses: Hypotheses
    confidence: float
    factor: float = 1.0

    @property
    def tail(self) -> float:
        """Return the share that may lie beyond each end."""
        return (1 - self.confidence) / 2

    def distance(self, tried: float) -> tuple[float, float]:
        """Return how many standard errors the difference lies above ``tried``, and the skewness."""
        chance = self.hypotheses.at(tried)
        error = math.sqrt(self.factor * chance.variance)
        gap = self.difference - tried
        return (gap / error if error > 0 else math.copysign(math.inf, gap)), chance.skewness

    def ask_gamma(self) -> ChanceReach:
        """Return the reach that follows from variance and skewness alone."""
        share = skewed_share(*self.distance(0.0))
        return ChanceReach(None, None, min(1.0, 2 * min(share, 1 - share)))

    def ask_deals(self, deals: Draws, rank: int) -> ChanceReach:
        """Return the reach among sorted differences of ``deals``; the ``rank``-th bound it."""
        error = math.sqrt(self.factor * self.hypotheses.at(0.0).variance)
        tie = TIE * max(abs(float(deals[0])), abs(float(deals[-1])), abs(self.difference))
        below = int(deals.searchsorted(self.difference + tie, side="right"))
        above = int(deals.size - deals.searchsorted(self.difference - tie, side="left"))
        return ChanceReach(
            float(deals[rank - 1]) / error,
            float(deals[-rank]) / error,
            min(1.0, 2 * (1 + min(below, above)) / (deals.size + 1)),
        )

    def invert(self, reach: ChanceReach) -> tuple[float, float]:
        """Return the ends of the interval; it leaves out 0 exactly when the p-value is small."""
        is_shown = reach.p_value <= 1 - self.confidence + 1e-12
        nearest = 0.0 if is_shown else None
        down, up = self._edge(reach, -1), self._edge(reach, 1)
        if not is_shown:
            return down(min(self.difference, 0.0), None), up(max(self.difference, 0.0), None)
        if self.difference > 0:
            return down(self.difference, nearest), up(self.difference, None)
        return down(self.difference, None), up(self.difference, nearest)

    def _edge(self, reach: ChanceReach, side: int) -> Callable[[float, float | None], float]:
        """Return the search for the last number that is not rejected, going down or up."""
        given = reach.high if side < 0 else reach.low
        share = 1 - self.tail if side < 0 else self.tail
        at_zero = 0.0
        if given is not None:
            at_zero = given - skewed_quantile(share, self.distance(0.0)[1])

        def is_plausible(tried: float) -> bool:
            away, skewness = self.distance(tried)
            edge = at_zero + skewed_quantile(share, skewness)
            return away <= edge if side < 0 else away >= edge

        def search(inside: float, outside: float | None) -> float:
            if outside is None:
                step = math.sqrt(self.factor * self.hypotheses.at(0.0).variance)
                outside = inside + side * step
                for _ in range(_FARTHEST_DOUBLING):
                    if not is_plausible(outside):
                        break
                    inside, step = outside, 2 * step
                    outside += side * step
            for _ in range(_HALVINGS):
                middle = (inside + outside) / 2
                inside, outside = (middle, outside) if is_plausible(middle) else (inside, middle)
            return inside

        return search
