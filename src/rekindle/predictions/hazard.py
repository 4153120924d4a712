"""The return model: the chance that a silence ends within the next 30 days.

Logistic, over landmarks: every 15 days everybody who has been silent for 30 days or more is a
row, and whether they ordered within 30 days is its outcome. A longer horizon is a chain of
such steps without an order in between, so one model answers every horizon, and no outcome
has to be waited for longer than 30 days.

Source of the form: discrete-time hazard models (Singer & Willett, Journal of Educational
Statistics 18 (1993), 155-195), landmarks (van Houwelingen, Scandinavian Journal of Statistics
34 (2007), 70-85). The features were chosen on CDNOW and Online Retail; ``make bench
ONLY=returns`` prints how well they do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from rekindle.predictions.histories import Floats, Histories, PastOrders
from rekindle.vocabulary import Unknown
from rekindle.wording import counted

STEP = 30
"""Days a step of the chain lasts, and the shortest silence the model is of."""
EVERY = 15
MOST_LANDMARKS = 40
FEWEST_RETURNS = 50
SHRINKS_BY = 2
"""So many gaps of the shop's mean length are added to a person's own."""
RIDGE = 1.0
ROUNDS = 50
FEATURES = ("repeats", "silence", "worth", "silence ÷ own gap")
OF_UNITS = ("units", "units a day")


@dataclass(frozen=True)
class ReturnModel:
    """A fitted model. ``weights`` begin with the constant and are of standardised features.

    ``rows`` silences at ``landmarks`` days were learned from, ``returns`` of which ended;
    ``gap`` is the shop's mean gap in days.
    """

    features: tuple[str, ...]
    means: Floats
    scales: Floats
    weights: Floats
    gap: float
    landmarks: int
    rows: int
    returns: int

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
            chance = 1 - (1 - self._hazard(known, day + begin)) ** (length / STEP)
            days += lasting * chance * (begin + length / 2)
            lasting = lasting * (1 - chance)
        returning = 1 - lasting
        is_asked = (known.count > 0) & (silence >= STEP)
        expected = days / np.maximum(returning, 1e-12)
        return np.where(is_asked, returning, np.nan), np.where(is_asked, expected, np.nan)

    def _hazard(self, known: PastOrders, day: int) -> Floats:
        values = (build_features(known, day, self.gap, self.features) - self.means) / self.scales
        found: Floats = expit(self.weights[0] + values @ self.weights[1:])
        return found


def fit_returns(histories: Histories, until: int) -> ReturnModel | Unknown:
    """Return the model of silences before the day ``until``, or why there is none."""
    if not histories.day.size:
        return Unknown("nobody has ordered yet")
    names = FEATURES + (OF_UNITS if histories.has_units else ())
    gap = histories.gap
    days = _landmarks(int(histories.day.min()), until)
    parts, outcomes = [], []
    for day in days:
        known = histories.known(day)
        is_silent = (known.count > 0) & (day - known.last >= STEP)
        parts.append(build_features(known, day, gap, names)[is_silent])
        outcomes.append(histories.bought_within(day, STEP)[is_silent])
    outcome = np.concatenate(outcomes) if outcomes else np.zeros(0, dtype=bool)
    returns = int(outcome.sum())
    if min(returns, outcome.size - returns) < FEWEST_RETURNS:
        return Unknown(
            f"{counted(returns, 'silence')} of 30 days or more ended within 30 days, of "
            f"{outcome.size:,} looked at; {FEWEST_RETURNS} have to end, and as many to last"
        )
    values = np.vstack(parts)
    means, scales = values.mean(axis=0), values.std(axis=0)
    scales[scales == 0] = 1.0
    weights = fit_logistic((values - means) / scales, outcome.astype(np.float64))
    return ReturnModel(names, means, scales, weights, gap, len(days), outcome.size, returns)


def _landmarks(first: int, until: int) -> list[int]:
    """Return the days to look at, the last 30 days before the end, whatever the length."""
    span = until - STEP - (first + STEP)
    every = max(EVERY, -(-span // MOST_LANDMARKS))
    return list(range(until - STEP, first + STEP, -every))


def own_gaps(known: PastOrders, gap: float) -> Floats:
    """Return each person's mean gap in days, shrunk towards the shop's ``gap``; 1 or more."""
    count = np.maximum(known.count, 1)
    own = (known.last - known.first + SHRINKS_BY * gap) / (count - 1 + SHRINKS_BY)
    return np.asarray(np.maximum(own, 1.0), dtype=np.float64)


def build_features(known: PastOrders, day: int, gap: float, names: tuple[str, ...]) -> Floats:
    """Return a row a person of what was known of them on ``day``, a column a name."""
    count = np.maximum(known.count, 1)
    repeats = count - 1
    silence = np.maximum(day - known.last, 1).astype(np.float64)
    own = own_gaps(known, gap)
    columns = {
        "repeats": np.log1p(repeats),
        "silence": np.log(silence),
        "worth": np.log1p(np.maximum(known.worth, 0) / count),
        "silence ÷ own gap": silence / own,
        "own gap": np.log(own),
        "units": np.log1p(np.maximum(known.units, 0)),
        "units a day": np.log1p(np.maximum(known.units, 0) / count),
    }
    return np.column_stack([columns[name] for name in names])


def fit_logistic(values: Floats, outcome: Floats, start: Floats | None = None) -> Floats:
    """Return the weights of a ridge logistic, by Newton's method; the constant is not shrunk.

    From a ``start`` close by it takes fewer steps to the same weights.
    """
    design = np.column_stack([np.ones(len(outcome)), values])
    share = outcome.mean()
    weights = np.zeros(design.shape[1])
    weights[0] = np.log(share / (1 - share))
    weights = weights if start is None else start
    penalty = np.eye(design.shape[1]) / RIDGE
    penalty[0, 0] = 0.0
    for _ in range(ROUNDS):
        chance = expit(design @ weights)
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design + penalty
        step = np.linalg.solve(curvature, design.T @ (outcome - chance) - penalty @ weights)
        weights = weights + step
        if np.abs(step).max() < 1e-8:
            break
    return weights
