"""A step's chance of an order, learned over landmarks: what both models of people are made of.

At landmarks, days a fixed distance apart, whoever the model is of is a row, and whether they
ordered within a step of days is its outcome. A logistic regression of these rows gives the
chance for one step; a longer time is a chain of steps without an order in between, so one
model answers every horizon, and no outcome has to be waited for longer than a step.

Source of the form: discrete-time hazard models (Singer & Willett, Journal of Educational
Statistics 18 (1993), 155-195), landmarks (van Houwelingen, Scandinavian Journal of Statistics
34 (2007), 70-85). The features were chosen on CDNOW and Online Retail; ``make bench
ONLY=returns`` prints how well they do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from rekindle.predictions.histories import Floats, Histories, PastOrders

MOST_LANDMARKS = 40
FEWEST_OUTCOMES = 50
"""So many rows have to end in an order, and as many have not to."""
SHRINKS_BY = 2
"""So many gaps of the shop's mean length are added to a person's own."""
RIDGE = 1.0
ROUNDS = 50
SURE = 1e-12
"""No chance is nearer to 0 or 1: chains of steps take its logarithm."""


@dataclass(frozen=True)
class Landmarks:
    """What was seen at ``days`` landmarks: a row a person looked at.

    ``values`` has a column for each of ``features``; ``outcome`` is whether an order came
    within ``step`` days.
    """

    features: tuple[str, ...]
    step: int
    gap: float
    days: int
    values: Floats
    outcome: NDArray[np.bool_]

    @property
    def orders(self) -> int:
        """Return of how many rows an order was the outcome."""
        return int(self.outcome.sum())

    @property
    def suffices(self) -> bool:
        """Return whether there are enough of either outcome to learn from."""
        return min(self.orders, self.outcome.size - self.orders) >= FEWEST_OUTCOMES


@dataclass(frozen=True)
class HazardModel:
    """A fitted model. ``weights`` begin with the constant and are of standardised features.

    ``rows`` people at ``landmarks`` days were learned from, ``orders`` of whom ordered within
    ``step`` days; ``gap`` is the shop's mean gap in days.
    """

    features: tuple[str, ...]
    means: Floats
    scales: Floats
    weights: Floats
    gap: float
    step: int
    landmarks: int
    rows: int
    orders: int

    @classmethod
    def learn(cls, seen: Landmarks) -> Self:
        """Return the model of what was seen."""
        means, scales = seen.values.mean(axis=0), seen.values.std(axis=0)
        scales[scales == 0] = 1.0
        weights = fit_logistic((seen.values - means) / scales, seen.outcome.astype(np.float64))
        return cls(
            seen.features,
            means,
            scales,
            weights,
            seen.gap,
            seen.step,
            seen.days,
            seen.outcome.size,
            seen.orders,
        )

    def hazard(self, known: PastOrders, day: int) -> Floats:
        """Return each person's chance of an order within the step that begins on ``day``."""
        values = (build_features(known, day, self.gap, self.features) - self.means) / self.scales
        chance: Floats = expit(self.weights[0] + values @ self.weights[1:])
        return np.clip(chance, SURE, 1 - SURE)


def look_back(
    histories: Histories,
    until: int,
    *,
    features: tuple[str, ...],
    step: int,
    every: int,
    is_of: Callable[[PastOrders, int], NDArray[np.bool_]],
) -> Landmarks:
    """Return what was seen at landmarks ``every`` so many days, or more where there are many.

    The last is a ``step`` before the day ``until``, whatever the length. ``is_of`` says of
    whom the model is, by what was known of them on a day.
    """
    first = int(histories.day.min()) + step
    every = max(every, -(-(until - step - first) // MOST_LANDMARKS))
    days = range(until - step, first, -every)
    parts = [np.zeros((0, len(features)))]
    outcomes = [np.zeros(0, dtype=bool)]
    for day in days:
        known = histories.known(day)
        is_row = (known.count > 0) & is_of(known, day)
        parts.append(build_features(known, day, histories.gap, features)[is_row])
        outcomes.append(histories.bought_within(day, step)[is_row])
    return Landmarks(
        features, step, histories.gap, len(days), np.vstack(parts), np.concatenate(outcomes)
    )


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
    penalty = _penalty(design)
    for _ in range(ROUNDS):
        chance = expit(design @ weights)
        curvature = _curvature(design, chance, penalty)
        step = np.linalg.solve(curvature, design.T @ (outcome - chance) - penalty @ weights)
        weights = weights + step
        if np.abs(step).max() < 1e-8:
            break
    return weights


def find_curvature(values: Floats, weights: Floats) -> Floats:
    """Return the curvature of a ridge logistic at its weights; its inverse is their covariance."""
    design = np.column_stack([np.ones(len(values)), values])
    return _curvature(design, expit(design @ weights), _penalty(design))


def _curvature(design: Floats, chance: Floats, penalty: Floats) -> Floats:
    found: Floats = (design * (chance * (1 - chance))[:, None]).T @ design + penalty
    return found


def _penalty(design: Floats) -> Floats:
    found: Floats = np.eye(design.shape[1]) / RIDGE
    found[0, 0] = 0.0
    return found
