"""What may be said of a figure that is looked at before everything is in.

An interval that is right when it is read once shows an effect on some day in every fourth
experiment without one, if somebody looks daily and believes the best day. Three answers:

- with a reading date, the level is spent over the declared period (O'Brien & Fleming,
  Biometrics 35 (1979), 549-556; spent as Lan & DeMets, Biometrika 70 (1983), 659-663);
- without one, the interval is part of a sequence that holds at all times together
  (Howard, Ramdas, McAuliffe & Sekhon, Annals of Statistics 49 (2021), 1055-1080; a
  normal mixture, with the number of buyers as the clock);
- whether people come back at all is a bet on each return, exact at any time (``returns``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from rekindle.vocabulary import IntervalKind, Unknown
from rekindle.wording import percent

PLANNED = 200
"""The buyers an open-ended interval is made for where nobody says how many."""

TOO_EARLY = 0.25
"""The part of a period before which nothing is said: the level spent by then is nothing."""

# What is spent on one look is never less than this, so that its bound is a number.
_LEAST_SPENT = 1e-12
_GRID = 401
_WIDEST = 9.0
# Looks closer together than this part of the period are one look.
_SAME_LOOK = 1e-4


@dataclass(frozen=True, slots=True)
class ReadingDate:
    """A declared period of which ``elapsed``, in 0-1, is over; ``looks`` were taken before."""

    elapsed: float
    looks: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class OpenEnded:
    """No declared end; ``planned`` is the number of buyers the interval is narrowest for.

    It is chosen once, before the first look.
    """

    planned: int | None = None


Watch = ReadingDate | OpenEnded | None


def kind_of(watch: Watch) -> IntervalKind:
    """Return what kind of interval a way of watching asks for."""
    if watch is None:
        return IntervalKind.FIXED
    return IntervalKind.OPEN_ENDED if isinstance(watch, OpenEnded) else IntervalKind.READING_DATE


def find_confidence(watch: Watch, *, buyers: int, confidence: float) -> float | Unknown:
    """Return the level at which an interval is to be computed now, so that all looks keep it.

    ``Unknown`` before a quarter of a period with a reading date is over, and while nobody
    has bought.
    """
    if watch is None:
        return confidence
    if isinstance(watch, OpenEnded):
        if buyers < 1:
            return Unknown("nobody bought in either arm")
        bound = find_sequence_bound(buyers, watch.planned or PLANNED, alpha=1 - confidence)
    elif watch.elapsed < TOO_EARLY:
        return Unknown(
            f"too early: {percent(max(watch.elapsed, 0.0))} of the period is over, and before "
            f"{percent(TOO_EARLY)} of it nothing is said"
        )
    else:
        bound = find_reading_bound((*watch.looks, watch.elapsed), alpha=1 - confidence)
    level = float(1 - 2 * ndtr(-bound))
    # A sequence begins so wide that a float has no such level; there is no interval yet.
    if level >= 1:
        return Unknown(f"only {buyers:,} bought, too few for an interval that may be looked at now")
    return level


def find_sequence_bound(buyers: int, planned: int, *, alpha: float = 0.05) -> float:
    """Return how many standard errors a difference may lie away, at any number of buyers.

    Narrowest, for a sequence, when ``planned`` people have bought.
    """
    log_alpha = math.log(alpha)
    tuned = -2 * log_alpha + math.log(-2 * log_alpha + 1)
    clock = buyers * tuned / planned
    return math.sqrt((1 + 1 / clock) * (math.log1p(clock) - 2 * log_alpha))


def find_reading_bound(looks: Sequence[float], *, alpha: float = 0.05) -> float:
    """Return how many standard errors a difference may lie away at the last of ``looks``.

    ``looks`` are parts of the period, up to 1 and in any order; those before a quarter
    count for nothing, since nothing was said at them.
    """
    return _bound_at(tuple(_distinct(looks)), alpha)


@lru_cache(maxsize=256)
def _bound_at(times: tuple[float, ...], alpha: float) -> float:
    density: NDArray[np.float64] | None = None
    grid, before, spent, bound = np.zeros(1), 0.0, 0.0, math.inf
    for time in times:
        due = max(_spend(time, alpha) - spent, _LEAST_SPENT)
        spent += due
        spread = math.sqrt(time - before)
        bound = _find_bound(grid, density, spread, time, due)
        grid, density = _carry(grid, density, spread, bound * math.sqrt(time))
        before = time
    return bound


def _distinct(looks: Sequence[float]) -> list[float]:
    found: list[float] = []
    for time in sorted(min(look, 1.0) for look in looks if look >= TOO_EARLY):
        if not found or time - found[-1] > _SAME_LOOK:
            found.append(time)
    return found


def _spend(time: float, alpha: float) -> float:
    """Return how much of ``alpha`` is spent, half a side, when this part of the period is over."""
    return float(4 * ndtr(ndtri(alpha / 4) / math.sqrt(time)))


def _find_bound(
    grid: NDArray[np.float64],
    density: NDArray[np.float64] | None,
    spread: float,
    time: float,
    due: float,
) -> float:
    """Return the bound, in standard errors, that is passed now with probability ``due``."""

    def passed(bound: float) -> float:
        edge = bound * math.sqrt(time)
        beyond = ndtr((grid - edge) / spread) + ndtr((-edge - grid) / spread)
        if density is None:
            return float(beyond[0])
        return float(np.trapezoid(density * beyond, grid))

    low, high = 0.0, _WIDEST
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if passed(middle) > due else (low, middle)
    return high


def _carry(
    grid: NDArray[np.float64],
    density: NDArray[np.float64] | None,
    spread: float,
    edge: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where the sum may stand after a look that did not pass its bound."""
    inside = np.linspace(-edge, edge, _GRID)
    steps = np.exp(-(((inside[:, None] - grid[None, :]) / spread) ** 2) / 2)
    steps /= spread * math.sqrt(2 * math.pi)
    if density is None:
        return inside, steps[:, 0]
    return inside, np.asarray(np.trapezoid(steps * density[None, :], grid, axis=1))
