"""How long subscribers stay, month after month, and whether the curve held when it was tried.

The curve is the sBG (Fader & Hardie, Journal of Interactive Marketing 21 (2007), 76-90): each
subscriber leaves with a chance of their own at every renewal, so that those who stay are ever
more loyal. It is fitted a second time on what was known earlier, and says what it would have
foreseen then, beside what came.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import betaln

from rekindle.insights.wire import Figure, Json, write_figure
from rekindle.predictions import fit_sbg_counts
from rekindle.subscriptions import MONTH_DAYS
from rekindle.vocabulary import Unknown
from rekindle.wording import counted

MONTHS = (1, 3, 6, 12, 24)
FEWEST_LEFT = 30
# The curve is tried on the last third of what was seen, of no more than half a year.
LONGEST_TRIAL, SHARE_TRIED, SHORTEST_TRIAL = 180, 3, 60


@dataclass(frozen=True, slots=True)
class CurveTrial:
    """What a curve of ``days`` ago foresaw: how many of those subscribed then would still be."""

    days: int
    subscribed: int
    foreseen: float
    stayed: int
    spread: float

    @property
    def held(self) -> bool:
        """Return whether what came lies within two standard deviations of what was foreseen."""
        return abs(self.foreseen - self.stayed) <= 2 * self.spread

    def to_json(self) -> Json:
        """Return the trial as JSON values."""
        return {
            "days": self.days,
            "subscribed": self.subscribed,
            "foreseen": round(self.foreseen, 1),
            "stayed": self.stayed,
            "held": self.held,
        }


@dataclass(frozen=True, slots=True)
class Retention:
    """The share of first-time subscribers who are there still after so many months."""

    alpha: Figure
    beta: Figure
    shares: Mapping[int, Figure]
    trial: CurveTrial | Unknown

    def to_json(self) -> Json:
        """Return the curve as JSON values; shares in 0-1."""
        trial = self.trial
        return {
            "model": "sBG",
            "alpha": write_figure(self.alpha, 5),
            "beta": write_figure(self.beta, 5),
            "stay_after_months": {
                str(months): write_figure(share) for months, share in self.shares.items()
            },
            "trial": trial.to_json() if isinstance(trial, CurveTrial) else write_figure(trial),
        }


def build_retention(rows: Iterable[Mapping[str, Any]]) -> Retention:
    """Return the curve of first-time subscribers.

    ``rows`` say how many (``stays``) came and left so many days ago (``came``; ``left`` None
    where they stay).
    """
    came, left, stays = _columns(rows)
    fitted = _fit(came, left, stays, ago=0)
    if isinstance(fitted, Unknown):
        return Retention(fitted, fitted, dict.fromkeys(MONTHS, fitted), fitted)
    a, b = fitted
    shares = {months: math.exp(_log_share(a, b, float(months))) for months in MONTHS}
    return Retention(a, b, shares, _try(came, left, stays))


Numbers = np.ndarray[tuple[int], np.dtype[np.float64]]


def _columns(rows: Iterable[Mapping[str, Any]]) -> tuple[Numbers, Numbers, Numbers]:
    """Return the columns; whoever stays leaves in a time ahead, at no day."""
    found = [
        (row["came"], -math.inf if row["left"] is None else row["left"], row["stays"])
        for row in rows
    ]
    came, left, stays = np.array(found, dtype=np.float64).reshape(-1, 3).T
    return came, left, stays


def _fit(
    came: Numbers, left: Numbers, stays: Numbers, *, ago: float
) -> tuple[float, float] | Unknown:
    """Return alpha and beta by what was known so many days ago."""
    known = came >= ago
    has_left = known & (left >= ago)
    is_there = known & ~has_left
    lasted = np.maximum(1, np.rint((came[has_left] - left[has_left]) / MONTH_DAYS)).astype(int)
    renewed = ((came[is_there] - ago) // MONTH_DAYS).astype(int)
    if stays[has_left].sum() < FEWEST_LEFT:
        return Unknown(f"fewer than {FEWEST_LEFT} subscribers left")
    size = max(2, lasted.max(initial=0), renewed.max(initial=0)) + 1
    ended = np.bincount(lasted, weights=stays[has_left], minlength=size)[1:]
    running = np.bincount(renewed, weights=stays[is_there], minlength=size)[1:]
    fitted = fit_sbg_counts(ended.astype(np.float64), running.astype(np.float64))
    if isinstance(fitted, Unknown):
        return fitted
    return fitted.parameters["alpha"], fitted.parameters["beta"]


def _try(came: Numbers, left: Numbers, stays: Numbers) -> CurveTrial | Unknown:
    days = int(min(LONGEST_TRIAL, came.max() // SHARE_TRIED))
    if days < SHORTEST_TRIAL:
        return Unknown(f"fewer than {SHARE_TRIED * SHORTEST_TRIAL} days were seen")
    fitted = _fit(came, left, stays, ago=days)
    if isinstance(fitted, Unknown):
        return Unknown(f"{counted(days, 'day')} before, {fitted.reason}")
    there = (came >= days) & (left < days)
    before = (came[there] - days) // MONTH_DAYS
    after = came[there] // MONTH_DAYS
    people = stays[there]
    chance = np.exp(_log_shares(*fitted, after) - _log_shares(*fitted, before))
    return CurveTrial(
        days=days,
        subscribed=int(people.sum()),
        foreseen=float((people * chance).sum()),
        stayed=int(people[left[there] == -math.inf].sum()),
        spread=math.sqrt(float((people * chance * (1 - chance)).sum())),
    )


def _log_share(a: float, b: float, months: float) -> float:
    return float(betaln(a, b + months) - betaln(a, b))


def _log_shares(a: float, b: float, months: Numbers) -> Numbers:
    return np.asarray(betaln(a, b + months) - betaln(a, b), dtype=np.float64)
