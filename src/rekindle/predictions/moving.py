"""Whom a journey moves: learned from its own arms, and asked of everybody's orders of today.

Two logistic models of what was known of people as they entered, as in ``uplift``. A person's
interval is that of both weights (delta method), at what the person is: whoever is unlike those
that were learned from has a wide one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, ndtri

from rekindle.predictions.histories import Floats, Histories, PastOrders
from rekindle.predictions.landmarks import build_features, find_curvature, fit_logistic
from rekindle.predictions.returns import OF_UNITS
from rekindle.predictions.uplift import LEVEL, Flags, Uplift, estimate_uplift
from rekindle.predictions.warning import FEATURES
from rekindle.vocabulary import Unknown


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody a journey drew: into which arm, on which day (since 1970), and who came back."""

    person: str
    is_treated: bool
    day: int
    is_back: bool


@dataclass(frozen=True)
class MovingModel:
    """Two fitted models. ``judged`` is what their order of people was worth out of sample.

    ``weights`` and ``spreads``, their covariances, are of the treated and of the held out, and
    of standardised features.
    """

    features: tuple[str, ...]
    gap: float
    means: Floats
    scales: Floats
    weights: tuple[Floats, Floats]
    spreads: tuple[Floats, Floats]
    judged: Uplift

    def estimate(self, known: PastOrders, day: int) -> tuple[Floats, Floats, Floats]:
        """Return each person's uplift on a day and its ends; NaN for who never ordered."""
        values = build_features(known, day, self.gap, self.features)
        design = np.column_stack([np.ones(len(values)), (values - self.means) / self.scales])
        chances, variances = [], []
        for weights, spread in zip(self.weights, self.spreads, strict=True):
            chance = expit(design @ weights)
            lean = np.einsum("ij,jk,ik->i", design, spread, design)
            chances.append(chance)
            variances.append((chance * (1 - chance)) ** 2 * lean)
        uplift = np.where(known.count > 0, chances[0] - chances[1], np.nan)
        reach = float(ndtri((1 + LEVEL) / 2)) * np.sqrt(variances[0] + variances[1])
        return uplift, uplift - reach, uplift + reach


def fit_moving(histories: Histories, drawn: Sequence[Participant]) -> MovingModel | Unknown:
    """Return whom a journey moves, by what its people had ordered before they entered.

    ``histories`` are those of everybody drawn who had ordered; the others are left out, of
    either arm. Why there is no model, where there is none.
    """
    names = FEATURES + (OF_UNITS if histories.has_units else ())
    place = {person: number for number, person in enumerate(histories.people)}
    by_day: defaultdict[int, list[Participant]] = defaultdict(list)
    for one in drawn:
        if one.person in place:
            by_day[one.day].append(one)
    gap, parts, kept = histories.gap, [], list[Participant]()
    for day, people in sorted(by_day.items()):
        known = histories.known(day)
        own = [one for one in people if known.count[place[one.person]]]
        rows = np.array([place[one.person] for one in own], dtype=np.int64)
        parts.append(build_features(known.of(rows), day, gap, names))
        kept += own
    if not kept:
        return Unknown("nobody whose time is over had ordered before they entered")
    return _fit(names, gap, np.vstack(parts), kept)


def _fit(
    names: tuple[str, ...], gap: float, values: Floats, drawn: Sequence[Participant]
) -> MovingModel | Unknown:
    treated: Flags = np.array([one.is_treated for one in drawn])
    outcome = np.array([one.is_back for one in drawn], dtype=np.float64)
    judged = estimate_uplift(values, treated, outcome)
    if isinstance(judged, Unknown):
        return judged
    means, scales = values.mean(axis=0), values.std(axis=0)
    scales[scales == 0] = 1.0
    values = (values - means) / scales
    arms = (treated, ~treated)
    treated_weights, held_weights = (fit_logistic(values[arm], outcome[arm]) for arm in arms)
    weights = (treated_weights, held_weights)
    treated_spread, held_spread = (
        np.asarray(np.linalg.inv(find_curvature(values[arm], own)), dtype=np.float64)
        for arm, own in zip(arms, weights, strict=True)
    )
    spreads = (treated_spread, held_spread)
    return MovingModel(names, gap, means, scales, weights, spreads, judged)
