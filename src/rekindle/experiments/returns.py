"""Are they coming back? Each return is a bet on which arm it comes from.

While nothing works, the next person to return is a treated one as often as treated people
are among those who have not returned yet. A gambler who bets against that at fair odds does
not get rich; one who multiplied the stake twentyfold has seen an event of at most 1 in 20,
whenever they look (Ville's inequality). So this may be read at any time, any number of
times, needs no money to have come in and no end.

The bets are a mixture over ratios of return rates, normal in the logarithm. The interval
holds every ratio against which the same gambler is not rich yet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rekindle.vocabulary import Unknown

# Half a standard deviation of the mixture is a ratio of 1.4, two are 4.
_SPREAD = 0.7
_RATIOS = np.linspace(-3, 3, 121)
_WEIGHTS = np.exp(-((_RATIOS / _SPREAD) ** 2) / 2)
_LOG_WEIGHTS = np.log(_WEIGHTS / _WEIGHTS.sum())
_FARTHEST = 6.0
_HALVINGS = 40


@dataclass(frozen=True, slots=True)
class Return:
    """Somebody came back: from which arm, and the treated share of those still away then."""

    is_treated: bool
    treated_share: float


@dataclass(frozen=True, slots=True)
class ComingBack:
    """What the returns say so far, at whatever time they are looked at.

    ``ratio`` is the treated people's return rate over the holdout's, with ``low`` and
    ``high``; infinite where nothing bounds it, as while nobody of the holdout is back.
    ``stake`` is what a stake of 1 has become against "no difference".
    ``is_shown`` is true once the stake has ever reached 1 / (1 - ``confidence``).
    """

    ratio: float
    low: float
    high: float
    stake: float
    is_shown: bool
    confidence: float


def follow_returns(returns: Sequence[Return], *, confidence: float = 0.95) -> ComingBack | Unknown:
    """Return what ``returns``, in the order in which they came, say at any look.

    ``Unknown`` while nobody has returned, or nobody could have in one of the arms.
    """
    told = [one for one in returns if 0 < one.treated_share < 1]
    if not told:
        return Unknown("nobody has come back yet")
    treated = np.array([one.is_treated for one in told])
    odds = np.log([one.treated_share / (1 - one.treated_share) for one in told])
    alarm = -math.log(1 - confidence)
    bets = np.cumsum(_log_chance(treated, odds[:, None] + _RATIOS[None, :]), axis=0)
    against_none = _stakes(bets, np.cumsum(_log_chance(treated, odds[:, None]), axis=0))
    middle = _most_likely(treated, odds)

    def is_open(ratio: float) -> bool:
        fair = _log_chance(treated, (odds + ratio)[:, None]).sum(axis=0, keepdims=True)
        return float(_stakes(bets[-1:], fair)[-1]) < alarm

    low, high = _edge(is_open, middle, -_FARTHEST), _edge(is_open, middle, _FARTHEST)
    return ComingBack(
        ratio=math.inf if treated.all() else math.exp(middle) if treated.any() else 0.0,
        low=math.exp(low),
        high=math.exp(high),
        stake=math.exp(min(float(against_none[-1]), 700.0)),
        is_shown=bool(against_none.max() >= alarm),
        confidence=confidence,
    )


def _stakes(bets: NDArray[np.float64], fair: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithm of the gambler's stake after each return.

    ``bets`` are the logarithms of the chance of all returns so far by return and ratio, ``fair``
    those under the ratio that the gambler bets against.
    """
    paths = bets - fair + _LOG_WEIGHTS
    best = paths.max(axis=1)
    return np.asarray(best + np.log(np.exp(paths - best[:, None]).sum(axis=1)))


def _log_chance(treated: NDArray[np.bool_], logit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithm of the chance that each return comes from the arm it came from."""
    signed = np.where(treated[:, None], logit, -logit)
    return np.asarray(-np.logaddexp(0.0, -signed))


def _most_likely(treated: NDArray[np.bool_], odds: NDArray[np.float64]) -> float:
    """Return the logarithm of the ratio under which the returns are most likely."""
    low, high = -_FARTHEST, _FARTHEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        expected = float((1 / (1 + np.exp(-(odds + middle)))).sum())
        low, high = (middle, high) if expected < treated.sum() else (low, middle)
    return (low + high) / 2


def _edge(is_open: Callable[[float], bool], inside: float, outside: float) -> float:
    """Return where the interval ends on the side of ``outside``; infinite if not before it."""
    if is_open(outside):
        return math.copysign(math.inf, outside)
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if is_open(middle) else (inside, middle)
    return inside
