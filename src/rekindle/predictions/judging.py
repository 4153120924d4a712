"""How chances met what came: ranks, level and size, beside the ranks that recency gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rekindle.predictions.histories import Floats
from rekindle.vocabulary import Unknown

BINS = 10
FEWEST = 20
"""So many have to come, and as many not, for the figures to mean anything."""


@dataclass(frozen=True)
class Bin:
    """People of about one chance: how many, the mean chance, and the share of those who came."""

    people: int
    foreseen: float
    came: float


@dataclass(frozen=True)
class Judgement:
    """How the chances of ``people`` met what became of them, of whom the share ``came``.

    ``auc`` is the chance that one of those who came had the higher chance; ``recency_auc`` the
    same of ranking by the silence alone. ``brier`` is the mean squared error, ``base_brier``
    that of giving everybody the share that came. ``ratio`` is foreseen ÷ came. ``bins`` ascend.
    """

    people: int
    came: float
    auc: float
    recency_auc: float
    brier: float
    base_brier: float
    ratio: float
    bins: tuple[Bin, ...]

    def to_json(self) -> dict[str, object]:
        """Return the figures as JSON values."""
        names = ("people", "came", "auc", "recency_auc", "brier", "base_brier", "ratio")
        bins = [[one.people, one.foreseen, one.came] for one in self.bins]
        return {name: getattr(self, name) for name in names} | {"bins": bins}


def judge(chance: Floats, came: NDArray[np.bool_], recency: Floats) -> Judgement | Unknown:
    """Return how chances met what came; the higher the ``recency`` score, the likelier."""
    many = int(came.sum())
    if min(many, came.size - many) < FEWEST:
        return Unknown(
            f"of {came.size:,} people {many:,} came; {FEWEST} are needed who did, and who did not"
        )
    share = many / came.size
    order = np.argsort(chance, kind="stable")
    bins = tuple(
        Bin(part.size, float(chance[part].mean()), float(came[part].mean()))
        for part in np.array_split(order, BINS)
    )
    return Judgement(
        came.size,
        share,
        _auc(chance, came),
        _auc(recency, came),
        float(np.mean((chance - came) ** 2)),
        share * (1 - share),
        float(chance.mean() / share),
        bins,
    )


def _auc(score: Floats, came: NDArray[np.bool_]) -> float:
    from scipy.stats import rankdata  # takes a second

    many = int(came.sum())
    ranks = rankdata(score)
    return float((ranks[came].sum() - many * (many + 1) / 2) / (many * (came.size - many)))
