"""What chance would do to a difference, if the true difference were a given number.

Welch's interval takes each arm's variance from that arm. In a small holdout with few
buyers variance and mean go together, so its interval is narrow exactly when the holdout
happened to buy little. Here the variance follows the number that is tried out instead, as
in a score test: the means are the pooled one, moved apart by ``d``, and what people buy is
moved with them.

A difference comes from more buyers, from larger baskets or from both. The part of the
baskets is read from the counts and baskets of the arms under the restriction that both
together make ``d``, which leaves it uncorrelated with the difference itself; it is shrunk
towards none the less the data say and kept between none and all. At d = 0 the arms are
alike in everything, so that a permutation of the labels is the same test, and exact.

Score test with the restricted variance for rates: Miettinen & Nurminen, Statistics in
Medicine 4 (1985), 213-226.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import gammainc, gammaincinv, ndtr, ndtri

from rekindle.experiments.sums import ArmSums, PowerSums

# A mean below this part of the pooled one counts as none at all.
_LEAST = 1e-9
# Below this skewness the gamma's shape is too large for its inverse; a cube root is exact.
_NEARLY_SYMMETRIC = 0.05


@dataclass(frozen=True, slots=True)
class Chance:
    """How an observed difference spreads around the true one: variance and skewness."""

    variance: float
    skewness: float


class Hypotheses:
    """What chance would do under each true difference, for two arms as they turned out."""

    def __init__(self, treatment: ArmSums, holdout: ArmSums) -> None:
        pooled = treatment + holdout
        if not pooled.gains.count:  # nothing but refunds: the same question with signs turned
            self._sign, treatment, holdout = -1, treatment.mirrored(), holdout.mirrored()
            pooled = treatment + holdout
        else:
            self._sign = 1
        self._arms = treatment, holdout
        self._pooled = pooled
        self._gain = pooled.gains.first / pooled.assigned
        self._contrast = _read_contrast(treatment, holdout, pooled)

    def at(self, difference: float) -> Chance:
        """Return what chance does if ``difference`` is the true one."""
        treatment, holdout = self._arms
        treated, held = self._move(self._sign * difference)
        baskets = math.exp(self._contrast.baskets(math.log(treated / held)))
        # Baskets differ by a factor and their pooled mix stays what it is.
        gains, of_arm = self._pooled.gains, (treatment.assigned * treated, holdout.assigned * held)
        second = gains.second / (of_arm[0] * baskets + of_arm[1])
        third = gains.third / (of_arm[0] * baskets**2 + of_arm[1])
        mine = self._spread(treated, second * baskets, third * baskets**2)
        theirs = self._spread(held, second, third)
        n, m = treatment.assigned, holdout.assigned
        variance = mine[0] / n + theirs[0] / m
        skewness = (mine[1] / n**2 - theirs[1] / m**2) / variance**1.5 if variance > 0 else 0.0
        return Chance(variance, self._sign * skewness)

    def held_mean(self, difference: float) -> float:
        """Return what the holdout's people would bring on average, if this were the true one."""
        _treated, held = self._move(self._sign * difference)
        return self._sign * (held + self._pooled.losses.first / self._pooled.assigned)

    def _move(self, difference: float) -> tuple[float, float]:
        """Return what an arm's people would bring on average, refunds aside."""
        treatment, _holdout = self._arms
        least = _LEAST * self._gain
        held = self._gain - difference * treatment.assigned / self._pooled.assigned
        treated = held + difference
        if held < least:
            return max(difference, 0.0) + least, least
        if treated < least:
            return least, max(-difference, 0.0) + least
        return treated, held

    def _spread(self, mean: float, second: float, third: float) -> tuple[float, float]:
        """Return variance and third central moment of one person of an arm."""
        everyone, losses = self._pooled.assigned, self._pooled.losses
        first = mean + losses.first / everyone
        square = second * mean + losses.second / everyone
        cube = third * mean + losses.third / everyone
        variance = max(square - first**2, _LEAST * square)
        return variance, cube - 3 * first * square + 2 * first**3


@dataclass(frozen=True, slots=True)
class _Contrast:
    """How the arms differ, in logarithms: ``buyers`` and ``basket``, and their variances."""

    buyers: float
    basket: float
    of_buyers: float
    of_basket: float

    def baskets(self, ratio: float) -> float:
        """Return the part of ``ratio``, the logarithm of both together, that is baskets'."""
        noise = self.of_buyers + self.of_basket
        if noise <= 0 or ratio == 0:
            return 0.0
        rest = ratio - self.buyers - self.basket
        restricted = self.basket + rest * self.of_basket / noise
        error = self.of_buyers * self.of_basket / noise
        shrunk = restricted * ratio**2 / (ratio**2 + error)
        return min(max(shrunk, min(ratio, 0.0)), max(ratio, 0.0))


def _read_contrast(treatment: ArmSums, holdout: ArmSums, pooled: ArmSums) -> _Contrast:
    mine, theirs, all_gains = treatment.gains, holdout.gains, pooled.gains
    if not mine.count or not theirs.count:
        return _Contrast(0.0, 0.0, 0.0, 0.0)
    rate = all_gains.count / pooled.assigned
    uneven = max(all_gains.second * all_gains.count / all_gains.first**2 - 1, 0.0)
    both = 1 / mine.count + 1 / theirs.count
    return _Contrast(
        buyers=math.log(mine.count / treatment.assigned)
        - math.log(theirs.count / holdout.assigned),
        basket=math.log(_basket(mine) / _basket(theirs)),
        of_buyers=(1 - rate) * both,
        of_basket=uneven * both,
    )


def _basket(gains: PowerSums) -> float:
    return gains.first / gains.count


def skewed_quantile(share: float, skewness: float) -> float:
    """Return the quantile of a standardised gamma that has this skewness.

    Sums of few heavy purchases are close to it; a normal quantile is its limit.
    """
    size = abs(skewness)
    share = share if skewness > 0 else 1 - share
    if size < _NEARLY_SYMMETRIC:
        quantile = _by_cube_root(share, size)
    else:
        shape = 4 / size**2
        quantile = (float(gammaincinv(shape, share)) - shape) * size / 2
    return quantile if skewness > 0 else -quantile


def _by_cube_root(share: float, skewness: float) -> float:
    """Return the same by Wilson & Hilferty, PNAS 17 (1931), 684-688."""
    normal = float(ndtri(share))
    if skewness < 1e-6:
        return normal
    return 2 / skewness * ((1 + skewness * normal / 6 - skewness**2 / 36) ** 3 - 1)


def skewed_share(quantile: float, skewness: float) -> float:
    """Return the share of the same gamma below ``quantile``: the inverse of ``skewed_quantile``."""
    size, value = abs(skewness), quantile if skewness > 0 else -quantile
    if size < 1e-6:
        share = float(ndtr(value))
    elif size < _NEARLY_SYMMETRIC:
        root = math.cbrt(1 + skewness * quantile / 2)
        share = float(ndtr((root - 1 + size**2 / 36) * 6 / size))
    else:
        shape = 4 / size**2
        share = float(gammainc(shape, max(shape + 2 * value / size, 0.0)))
    return share if skewness > 0 else 1 - share
