"""Who comes back by themselves and who is about to leave, learned from a shop's own history."""

from __future__ import annotations

from rekindle.predictions.hazard import ReturnModel, fit_returns
from rekindle.predictions.histories import Histories, build_purchase_days, read_histories
from rekindle.predictions.keeping import DayOfScores, score_day, tell_staleness
from rekindle.predictions.lapsing import LapseRun, estimate_lapses
from rekindle.predictions.scoring import (
    Past,
    ScoreRun,
    estimate_returns,
    load_past,
    score_returns,
)
from rekindle.predictions.warning import WarningModel, fit_warning

__all__ = [
    "DayOfScores",
    "Histories",
    "LapseRun",
    "Past",
    "ReturnModel",
    "ScoreRun",
    "WarningModel",
    "build_purchase_days",
    "estimate_lapses",
    "estimate_returns",
    "fit_returns",
    "fit_warning",
    "load_past",
    "read_histories",
    "score_day",
    "score_returns",
    "tell_staleness",
]
