"""Whom a message moves: uplift by two models, judged out of sample by its Qini.

One model learns the outcome of those who got it, one that of those who did not; the uplift of
a person is the difference (Hansotia & Rukstales, J. Interactive Marketing 16 (2002)). Whether
the order means anything is judged by the Qini (Radcliffe, Direct Marketing Analytics J. 1
(2007)): the area between what is gained by writing to the best first and to anybody. Every
person is scored by models that never saw them, and the interval takes in how much the figure
depends on who was put into which fold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtri

from rekindle.predictions.histories import Floats
from rekindle.predictions.landmarks import fit_logistic
from rekindle.vocabulary import Unknown

FOLDS = 5
SPLITS = 20
"""How often the folds are drawn; the seed is fixed, so that two runs agree."""
SEED = 20
LEVEL = 0.95
FEWEST = 50
"""So many have to respond in each arm, and as many not, for a model to be learned."""
PARTS = 10

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Tenth:
    """A part of the people by their place: how many, and what the message did in it."""

    people: int
    effect: float | Unknown


@dataclass(frozen=True)
class Uplift:
    """How well people can be put in order by what a message does to them.

    ``effect`` is the mean difference, ``qini`` per person with its interval at 95 %: 0 for an
    order that says nothing. ``parts`` are tenths of the people, the best first; ``scores`` the
    uplift of each person, by models that did not see them.
    """

    people: int
    effect: float
    qini: float
    low: float
    high: float
    parts: tuple[Tenth, ...]
    scores: Floats

    @property
    def may_exclude(self) -> bool:
        """Return whether somebody may be left out on the models' word."""
        return self.low > 0

    @property
    def not_moved(self) -> float:
        """Return the share of people with an estimated uplift of nothing or less."""
        return float(np.mean(self.scores <= 0))


def estimate_uplift(features: Floats, is_treated: Flags, outcome: Floats) -> Uplift | Unknown:
    """Return the uplift of people drawn at random into two arms, or why there is none.

    ``features`` has a row a person, of what was known before the draw, ``outcome`` a number.
    """
    if not features.shape[1]:
        return Unknown("nothing is known of people by which they could differ")
    effect = _difference(outcome, is_treated)
    if isinstance(effect, Unknown):
        return effect
    for arm, name in ((is_treated, "treated arm"), (~is_treated, "control")):
        most = int(np.unique(outcome[arm], return_counts=True)[1].max(initial=0))
        if (other := int(arm.sum()) - most) < FEWEST:
            return Unknown(f"too few outcomes of the {name} differ ({other}; {FEWEST} are needed)")
    scales = features.std(axis=0)
    scales[scales == 0] = 1.0
    features = (features - features.mean(axis=0)) / scales
    trial = _Trial(features, is_treated, outcome)
    roll = np.random.default_rng(SEED)
    found = [_split(trial, roll) for _ in range(SPLITS)]
    qinis = np.array([_qini(place, is_treated, outcome) for _, place in found])
    qini = float(qinis[:, 0].mean())
    error = float(np.sqrt((qinis[:, 1] ** 2).mean() + qinis[:, 0].var(ddof=1)))
    reach = float(ndtri((1 + LEVEL) / 2)) * error
    scores, place = (np.asarray(np.mean(each, axis=0)) for each in zip(*found, strict=True))
    return Uplift(
        outcome.size,
        effect,
        qini,
        qini - reach,
        qini + reach,
        tuple(_parts(place, is_treated, outcome)),
        scores,
    )


class _Trial:
    """A trial, its features standardised, with models of all people to begin others at."""

    def __init__(self, features: Floats, is_treated: Flags, outcome: Floats) -> None:
        self.features, self.outcome = features, outcome
        self.arms = (is_treated, ~is_treated)
        self.is_yes_or_no = set(np.unique(outcome)) == {0.0, 1.0}
        self._starts = [self._fit(arm, None) for arm in self.arms]

    def uplift(self, known: Flags, asked: Flags) -> Floats:
        """Return the uplift of those ``asked`` about, learned from those ``known``."""
        treated, control = (
            self._predict(self._fit(known & arm, start), asked)
            for arm, start in zip(self.arms, self._starts, strict=True)
        )
        return treated - control

    def _fit(self, among: Flags, start: Floats | None) -> Floats:
        features, outcome = self.features[among], self.outcome[among]
        if self.is_yes_or_no and 0 < outcome.mean() < 1:
            return fit_logistic(features, outcome, start)
        design = np.column_stack([np.ones(outcome.size), features])
        penalty = np.eye(design.shape[1])
        penalty[0, 0] = 0.0
        found = np.linalg.solve(design.T @ design + penalty, design.T @ outcome)
        return np.asarray(found, dtype=np.float64)

    def _predict(self, weights: Floats, asked: Flags) -> Floats:
        found = weights[0] + self.features[asked] @ weights[1:]
        return np.asarray(expit(found) if self.is_yes_or_no else found, dtype=np.float64)


def _split(trial: _Trial, roll: np.random.Generator) -> tuple[Floats, Floats]:
    """Return each person's uplift and place, 0 for the best to 1, within their fold."""
    from scipy.stats import rankdata  # takes a second

    size = trial.outcome.size
    fold = np.empty(size, dtype=np.int64)
    for arm in trial.arms:  # as many of each arm in every fold
        fold[arm] = roll.permutation(int(arm.sum())) % FOLDS
    scores: Floats = np.zeros(size)
    place: Floats = np.zeros(size)
    for number in range(FOLDS):
        held = fold == number
        scores[held] = trial.uplift(~held, held)
        place[held] = (rankdata(-scores[held]) - 0.5) / held.sum()
    return scores, place


def _qini(place: Floats, is_treated: Flags, outcome: Floats) -> tuple[float, float]:
    """Return the Qini and its standard error.

    Gained by writing to the first part q of the people: the sums of the outcome among them,
    each by the size of its arm. The area over q less that of a random order is the difference
    of the means of outcome × (½ − place). That places depend on everybody adds the second
    term to the influence of a person: what is gained of those behind them.
    """
    treated = int(is_treated.sum())
    control = outcome.size - treated
    weighed = outcome * (0.5 - place)
    means = weighed[is_treated].mean(), weighed[~is_treated].mean()
    share = np.where(is_treated, 1 / treated, -1 / control)
    order = np.argsort(place, kind="stable")
    behind = np.empty(outcome.size)
    behind[order] = np.cumsum((outcome * share)[order][::-1])[::-1]
    own = (weighed - np.where(is_treated, *means)) * share * outcome.size
    influence = own - (behind - behind.mean())
    return float(means[0] - means[1]), float(influence.std() / np.sqrt(outcome.size))


def _parts(place: Floats, is_treated: Flags, outcome: Floats) -> list[Tenth]:
    order = np.argsort(place, kind="stable")
    return [
        Tenth(part.size, _difference(outcome[part], is_treated[part]))
        for part in np.array_split(order, PARTS)
    ]


def _difference(outcome: Floats, is_treated: Flags) -> float | Unknown:
    if is_treated.all() or not is_treated.any():
        return Unknown("nobody of one of the arms is here")
    return float(outcome[is_treated].mean() - outcome[~is_treated].mean())
