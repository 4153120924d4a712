"""The return model: the chance that a silence ends within the next 30 days.

Everybody who has been silent for 30 days or more is a row, every 15 days; a step is 30 days.
"""

from __future__ import annotations

import numpy as np

from rekindle.predictions.histories import Floats, Histories, PastOrders
from rekindle.predictions.landmarks import FEWEST_OUTCOMES, HazardModel, look_back
from rekindle.vocabulary import Unknown
from rekindle.wording import counted

STEP = 30
"""Days a step of the chain lasts, and the shortest silence the model is of."""
EVERY = 15
FEATURES = ("repeats", "silence", "worth", "silence ÷ own gap")
OF_UNITS = ("units", "units a day")


class ReturnModel(HazardModel):
    """The chance that silences end, fitted."""

    def estimate(self, known: PastOrders, day: int, horizon: int) -> tuple[Floats, Floats]:
        """Return the chance of an order within ``horizon`` days, and the expected day of it.

        The day is counted from ``day``, and is of those who do order within the horizon. Both
        are NaN for who had not ordered before, or is silent for less than 30 days.
        """
        silence = day - known.last
        lasting = np.ones(known.count.size)
        days = np.zeros(known.count.size)
        for begin in range(0, horizon, STEP):
            length = min(STEP, horizon - begin)
            chance = 1 - (1 - self.hazard(known, day + begin)) ** (length / STEP)
            days += lasting * chance * (begin + length / 2)
            lasting = lasting * (1 - chance)
        returning = 1 - lasting
        is_asked = (known.count > 0) & (silence >= STEP)
        expected = days / np.maximum(returning, 1e-12)
        return np.where(is_asked, returning, np.nan), np.where(is_asked, expected, np.nan)


def fit_returns(histories: Histories, until: int) -> ReturnModel | Unknown:
    """Return the model of silences before the day ``until``, or why there is none."""
    if not histories.day.size:
        return Unknown("nobody has ordered yet")
    seen = look_back(
        histories,
        until,
        features=FEATURES + (OF_UNITS if histories.has_units else ()),
        step=STEP,
        every=EVERY,
        is_of=lambda known, day: day - known.last >= STEP,
    )
    if not seen.suffices:
        return Unknown(
            f"{counted(seen.orders, 'silence')} of 30 days or more ended within 30 days, of "
            f"{seen.outcome.size:,} looked at; {FEWEST_OUTCOMES} have to end, and as many to last"
        )
    return ReturnModel.learn(seen)
