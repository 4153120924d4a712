"""Who comes back by themselves: a model of returns, learned from a shop's own history."""

from __future__ import annotations

from rekindle.predictions.hazard import ReturnModel, fit_returns
from rekindle.predictions.histories import Histories, build_purchase_days, read_histories
from rekindle.predictions.scoring import ScoreRun, score_returns

__all__ = [
    "Histories",
    "ReturnModel",
    "ScoreRun",
    "build_purchase_days",
    "fit_returns",
    "read_histories",
    "score_returns",
]
