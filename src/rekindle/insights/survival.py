"""How silences end: the Kaplan-Meier estimate, over counts instead of rows.

A silence that still lasts says only that it is longer than it is by now. The estimate
uses such censored ones for as long as they were seen, and no longer.

Source: Kaplan & Meier, Journal of the American Statistical Association 53 (1958),
457-481. Ties: what ends on a day ends before what is censored on it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rekindle.vocabulary import Unknown
from rekindle.wording import counted, numbered

FEWEST_AT_RISK = 30


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with the ends of its interval, all in one unit."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Survival:
    """The estimated course of silences. The arrays run in parallel, one entry a day.

    ``days`` are the distinct lengths in ascending order; ``at_risk`` counts the
    silences that had lasted until then, ``ended`` those that ended exactly then.
    """

    days: NDArray[np.int64]
    at_risk: NDArray[np.int64]
    ended: NDArray[np.int64]

    def count_beyond(self, day: int) -> int:
        """Return how many silences were seen to last longer than ``day``."""
        later = int(np.searchsorted(self.days, day, side="right"))
        return int(self.at_risk[later]) if later < self.days.size else 0

    def share_beyond(self, day: int) -> float:
        """Return S(day), the share of silences that last longer than ``day``, in 0-1."""
        until = int(np.searchsorted(self.days, day, side="right"))
        return float(np.prod(1 - self.ended[:until] / self.at_risk[:until]))

    def median_days(self) -> int | Unknown:
        """Return the first day by which at least half of the silences had ended."""
        shares = np.cumprod(1 - self.ended / self.at_risk)
        reached = np.flatnonzero(shares <= 0.5)
        if not reached.size:
            return Unknown("fewer than half of the silences were seen to end")
        return int(self.days[reached[0]])

    def estimate_ending(
        self, *, after: int, within: int, confidence: float = 0.95
    ) -> Interval | Unknown:
        """Return the share of silences of ``after`` days that end in the next ``within``.

        It is 1 - S(after + within) / S(after), in 0-1, with Greenwood's variance on the
        log-log scale (Klein & Moeschberger, Survival Analysis, 2nd ed. (2003), § 4.3),
        or the exact binomial bound for the fewest at risk where none or all ended.
        Silences of one customer are taken for independent. On a gift shop's orders, the
        bootstrap over customers widens the interval by a factor of 2.2 at a silence of
        0 days, 1.2 at 30 and at most 1.07 from 60 on, so late figures can be trusted.

        ``Unknown`` when fewer than ``FEWEST_AT_RISK`` were followed to the end.
        """
        begin, end = np.searchsorted(self.days, (after, after + within), side="right")
        followed = self.count_beyond(after + within - 1)
        if followed < FEWEST_AT_RISK:
            return Unknown(
                f"{counted(followed, 'silence')} {numbered(followed, 'was')} followed for "
                f"{after + within} days; {FEWEST_AT_RISK} are needed"
            )
        return _estimate(self.at_risk[begin:end], self.ended[begin:end], followed, confidence)

    def estimate_ended(self, within: int, *, confidence: float = 0.95) -> Interval | Unknown:
        """Return the share of silences that end within so many days of their beginning.

        Unlike ``estimate_ending`` it counts as followed what was seen to end as well: where
        nearly everybody is back in time, few are left to be followed to the end.

        ``Unknown`` when of fewer than ``FEWEST_AT_RISK`` the fate is known by then.
        """
        until = int(np.searchsorted(self.days, within, side="right"))
        followed = int(self.ended[:until].sum()) + self.count_beyond(within - 1)
        if followed < FEWEST_AT_RISK:
            return Unknown(
                f"what followed within {within} days is known of {counted(followed, 'person')}; "
                f"{FEWEST_AT_RISK} are needed"
            )
        return _estimate(self.at_risk[:until], self.ended[:until], followed, confidence)


def estimate_survival(days: ArrayLike, has_ended: ArrayLike, counts: ArrayLike) -> Survival:
    """Return the course of silences given as counts by length and by how they stand.

    The three run in parallel: ``counts`` silences of so many ``days``, that ended
    (True) or last still (False). Their order and repetitions do not matter.
    """
    lengths, place = np.unique(np.asarray(days, dtype=np.int64), return_inverse=True)
    weights = np.asarray(counts, dtype=np.float64)
    ended = np.bincount(place, weights * np.asarray(has_ended, dtype=bool), lengths.size)
    present = np.bincount(place, weights, lengths.size)
    at_risk = present[::-1].cumsum()[::-1]
    return Survival(lengths, at_risk.astype(np.int64), ended.astype(np.int64))


def _estimate(
    at_risk: NDArray[np.int64], ended: NDArray[np.int64], followed: int, confidence: float
) -> Interval:
    lasting = float(np.prod(1 - ended / at_risk))
    if lasting in (0.0, 1.0):
        # Clopper & Pearson, Biometrika 26 (1934), 404-413.
        margin = 1 - ((1 - confidence) / 2) ** (1 / followed)
        return Interval(1.0, 1 - margin, 1.0) if lasting == 0 else Interval(0.0, 0.0, margin)
    variance = float(np.sum(ended / (at_risk * (at_risk - ended).astype(np.float64))))
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    factor = math.exp(z * math.sqrt(variance) / -math.log(lasting))
    return Interval(1 - lasting, 1 - lasting ** (1 / factor), 1 - lasting**factor)
