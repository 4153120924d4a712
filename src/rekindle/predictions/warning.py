"""The early warning: who is about to lapse, and when the next order is to be expected.

The same kind of model as that of returns, of people who have not lapsed: the chance that
somebody orders within the next step, logistic, over landmarks. A step is a fifth of the
shop's mean gap, as a grocer's customers are late after days and a furniture shop's after
months. To lapse is to come to one's own line of silence without an order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rekindle.predictions.histories import Days, Floats, Histories, PastOrders
from rekindle.predictions.landmarks import FEWEST_OUTCOMES, HazardModel, look_back, own_gaps
from rekindle.vocabulary import Unknown
from rekindle.wording import counted

FEATURES = ("repeats", "silence", "worth", "silence ÷ own gap", "own gap")
STEPS_A_GAP = 5
LONGEST_STEP = 30
EVERY = 7
LONGEST_RATIO = 4
"""Silences of more than so many own gaps are not learned from: who is gone says little."""
MOST_DAYS = 730
"""A next order is looked for no further ahead."""
QUANTILES = (0.1, 0.5, 0.9)
NEVER = -1


@dataclass(frozen=True)
class Foreseen:
    """What is foreseen of people, arrays in their order.

    ``risk`` is the chance of coming to one's own line without an order, NaN for who is not
    asked about. ``days`` has a row a person: the days from now by which one, five and nine in
    ten such customers have ordered, ``NEVER`` beyond two years.
    """

    risk: Floats
    days: Days


class WarningModel(HazardModel):
    """The chance that people who have not lapsed order again, fitted."""

    def estimate(self, known: PastOrders, day: int, left: Days) -> Foreseen:
        """Return what is foreseen on ``day`` of people who lapse in ``left`` days, 1 or more.

        Of who has 0 or less left nothing is said.
        """
        is_asked = (known.count > 0) & (left > 0)
        size = left.size
        lasting, risk = np.ones(size), np.ones(size)
        days = np.full((size, len(QUANTILES)), NEVER, dtype=np.int64)
        end = int(max(MOST_DAYS, left[is_asked].max(initial=0)))
        for begin in range(0, end, self.step):
            hazard = self.hazard(known, day + begin)
            over = np.clip(left - begin, 0, self.step)
            risk *= (1 - hazard) ** (over / self.step)
            for place, share in enumerate(QUANTILES):
                found = self._day_of(lasting, hazard, 1 - share)
                is_here = (days[:, place] == NEVER) & (found <= self.step)
                days[is_here, place] = begin + np.ceil(found[is_here]).astype(np.int64)
            lasting *= 1 - hazard
        days[days > MOST_DAYS] = NEVER
        return Foreseen(np.where(is_asked, risk, np.nan), days)

    def _day_of(self, lasting: Floats, hazard: Floats, left: float) -> Floats:
        """Return how far into the step the share of those without an order falls to ``left``."""
        with np.errstate(divide="ignore", invalid="ignore"):
            found = self.step * np.log(left / lasting) / np.log1p(-hazard)
        return np.asarray(np.where(np.isfinite(found), np.maximum(found, 0), np.inf))


def fit_warning(histories: Histories, until: int) -> WarningModel | Unknown:
    """Return the model of orders before the day ``until``, or why there is none."""
    if not histories.day.size:
        return Unknown("nobody has ordered yet")
    gap = histories.gap
    step = int(np.clip(round(gap / STEPS_A_GAP), 1, LONGEST_STEP))
    seen = look_back(
        histories,
        until,
        features=FEATURES,
        step=step,
        every=EVERY,
        is_of=lambda known, day: day - known.last <= LONGEST_RATIO * own_gaps(known, gap),
    )
    if not seen.suffices:
        return Unknown(
            f"{counted(seen.orders, 'order')} came within {counted(step, 'day')} of "
            f"{seen.outcome.size:,} looks at customers; {FEWEST_OUTCOMES} have to come, and as "
            "many not"
        )
    return WarningModel.learn(seen)
