"""How many of a group will return, with the range that such forecasts met at past cuts.

A group is a rule, such as a tier or an audience. At past cuts it is known how many it held and
how many of them returned within the horizon. The newest cut whose horizon is over is the
forecast. How far the share moved from one such cut to the next one a horizon later, beyond
what chance does, says how wrong that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, expit, ndtri

from rekindle.vocabulary import Unknown
from rekindle.wording import counted, percent

CONFIDENCE = 0.8
STEPS = 2
"""So many steps between past cuts make a horizon."""
MOST_CUTS = 8
FEWEST_PEOPLE = 10
FIRST_DAYS = 60
"""A cut needs so many days of history before it."""
YEAR_DAYS = 365
PEAK = 1.3

# How far the log odds of a share move within a horizon in shops of which nothing is known yet,
# and how many independent moves of one's own that weighs as much as (ADRs 0047, 0055).
USUAL_MOVE = 0.4
USUAL_WEIGHT = 1.0
SMALLEST_MOVE = 0.15
USUAL_MISS = 0.25
"""How far the return model's shares miss in shops of which nothing is known yet, in log odds."""

_RANKS = ndtri((np.arange(99) + 1) / 100)


@dataclass(frozen=True, slots=True)
class PastCut:
    """``returned`` of the ``people`` of a group at ``as_of`` bought within the horizon."""

    as_of: datetime
    people: int
    returned: int


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected, and the ends of the range that holds four outcomes in five."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """The share of a group that is expected to return within the horizon.

    ``centre`` and ``spread`` are of its log odds. ``latest`` is the cut it rests on and
    ``moves`` how many pairs of past cuts the spread was seen at; 0 is none of this shop's own.
    ``is_modelled`` says that the return model foresees it; ``latest`` is then the newest cut it
    was judged at and ``moves`` how many of them there were.
    """

    latest: PastCut
    centre: float
    spread: float
    moves: int
    is_modelled: bool = False

    @property
    def share(self) -> float:
        """Return the expected share, in 0-1."""
        return float(expit(self.centre))

    def of(self, people: int) -> Expected:
        """Return how many of so many people of the group are expected to return.

        The range holds the chance of who returns as well as the move of the share.
        """
        shares = expit(self.centre + self.spread * _RANKS)
        low, high = (_quantile(people, shares, p) for p in ((1 - CONFIDENCE) / 2, _UPPER))
        return Expected(people * self.share, low, high)

    def share_of(self, people: int) -> Expected:
        """Return the share of so many people of the group that is expected to return."""
        found = self.of(max(people, 1))
        return Expected(*(end / max(people, 1) for end in (found.value, found.low, found.high)))

    def tell(self, people: int, of: str) -> str:
        """Return a sentence on how many of ``people`` will buy unprompted; ``of`` names them."""
        found = self.of(people)
        checked = (
            f"at {counted(self.moves, 'past cut' if self.is_modelled else 'pair')} of "
            f"{'' if self.is_modelled else 'past cuts of '}this shop"
            if self.moves
            else "in other shops, as this history is too short to have checked any"
        )
        by = " by the return model" if self.is_modelled else ""
        return (
            f"Of {of} about {found.value:,.0f} are expected{by} to buy unprompted; "
            f"{found.low:,.0f} to {found.high:,.0f} is the range for four forecasts in five, by "
            f"how far such forecasts were off {checked}."
        )


_UPPER = (1 + CONFIDENCE) / 2


def foresee(cuts: Sequence[PastCut]) -> Outlook | Unknown:
    """Return the outlook from past cuts, newest first, ``STEPS`` of them to a horizon."""
    odds: dict[int, tuple[float, float]] = {}
    for place, cut in enumerate(cuts):
        if cut.people >= FEWEST_PEOPLE:
            odds[place] = _odds(cut)
    if not odds:
        return Unknown(
            f"at no past day with a known outcome did the group hold {FEWEST_PEOPLE} people"
        )
    newest = min(odds)
    centre, noise = odds[newest]
    pairs = [(odds[one], odds[one + STEPS]) for one in odds if one + STEPS in odds]
    moved = [max((a[0] - b[0]) ** 2 - a[1] - b[1], 0.0) for a, b in pairs]
    move = _blend(USUAL_MOVE, moved)
    spread = float(np.sqrt(noise + max(move, SMALLEST_MOVE**2)))
    return Outlook(cuts[newest], centre, spread, len(moved))


def foresee_by_model(share: float, judged: Sequence[tuple[float, PastCut]]) -> Outlook:
    """Return the outlook of a share that the return model foresees.

    ``judged`` are shares it would have foreseen at past cuts, newest first, beside what came.
    """
    misses = []
    for told, cut in judged:
        odds, noise = _odds(cut)
        misses.append(max((_logit(told) - odds) ** 2 - noise, 0.0))
    miss = _blend(USUAL_MISS, misses)
    spread = float(np.sqrt(max(miss, SMALLEST_MOVE**2)))
    # A fit adds up rows in the order an engine gives them, which shows in the last digits.
    centre, spread = round(_logit(share), 9), round(spread, 9)
    return Outlook(judged[0][1], centre, spread, len(judged), is_modelled=True)


def _odds(cut: PastCut) -> tuple[float, float]:
    """Return the log odds of a return at a cut, and the variance chance gives them."""
    came, stayed = cut.returned + 0.5, cut.people - cut.returned + 0.5
    return float(np.log(came / stayed)), 1 / came + 1 / stayed


def _logit(share: float) -> float:
    within = min(max(share, 1e-6), 1 - 1e-6)
    return float(np.log(within / (1 - within)))


def _blend(usual: float, seen: Sequence[float]) -> float:
    """Return the squared move to expect: what is usual elsewhere, and what was seen here.

    Overlapping windows tell little that is new: a horizon's worth counts as one.
    """
    weight = len(seen) / STEPS
    own = float(np.mean(seen)) if seen else 0.0
    return (USUAL_WEIGHT * usual**2 + weight * own) / (USUAL_WEIGHT + weight)


def past_days(days_known: int, horizon_days: int) -> tuple[int, ...]:
    """Return how many days before today the past cuts lie, newest first.

    Each has its whole horizon before today and ``FIRST_DAYS`` of history before it.
    """
    step = max(1, horizon_days // STEPS)
    places = (horizon_days + number * step for number in range(MOST_CUTS))
    return tuple(place for place in places if place + FIRST_DAYS <= days_known)


def warn_of_season(
    days_known: int, horizon_days: int, recent: float, before: float, *, of: str = "orders"
) -> list[str]:
    """Return what makes every forecast of this history less sure than its range says.

    ``recent`` purchases a day were seen within the last horizon, ``before`` ahead of it; ``of``
    names them.
    """
    told = []
    if days_known < YEAR_DAYS + horizon_days:
        told.append(
            f"LESS THAN A YEAR AND A HORIZON IS KNOWN ({counted(days_known, 'day')}): no forecast "
            "here could be checked against the same season of the year before. If a season "
            "begins or ends, more than one outcome in five will lie outside its range."
        )
    if before > 0 and recent >= PEAK * before:
        told.append(
            f"A PEAK LIES BEHIND: the last {counted(horizon_days, 'day')} had "
            f"{percent(recent / before - 1)} more {of} a day than the time before. What "
            "follows a peak is usually less than is expected here."
        )
    return told


def _quantile(people: int, shares: NDArray[np.float64], chance: float) -> int:
    """Return the smallest count that is not exceeded with this chance, over all shares."""
    low, high = 0, people
    while low < high:
        middle = (low + high) // 2
        if float(np.mean(bdtr(middle, people, shares))) >= chance:
            high = middle
        else:
            low = middle + 1
    return low
