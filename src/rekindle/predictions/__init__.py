"""Who comes back by themselves and who is about to leave, learned from a shop's own history."""

from __future__ import annotations

from rekindle.predictions.buying import fit_sbg_counts
from rekindle.predictions.cards import CardQuestion, ModelCard, build_card
from rekindle.predictions.groups import GroupModels, PastGroup, load_group_models
from rekindle.predictions.histories import Histories, build_purchase_days, read_histories
from rekindle.predictions.judging import Bin, Judgement, judge
from rekindle.predictions.keeping import MOMENT, DayOfScores, as_shares, score_day, tell_staleness
from rekindle.predictions.lapsing import LapseRun, estimate_lapses
from rekindle.predictions.moving import MovingModel, Participant, fit_moving
from rekindle.predictions.outlook import (
    CONFIDENCE,
    STEPS,
    Expected,
    Outlook,
    PastCut,
    foresee,
    foresee_by_model,
    past_days,
    warn_of_season,
)
from rekindle.predictions.parts import HistoryParts
from rekindle.predictions.returns import ReturnModel, fit_returns
from rekindle.predictions.scoring import (
    EPOCH,
    KnownPast,
    ScoreRun,
    estimate_returns,
    load_past,
    score_returns,
)
from rekindle.predictions.sends import find_sent, read_past_sends
from rekindle.predictions.traits import build_traits
from rekindle.predictions.uplift import Tenth, Uplift, estimate_uplift
from rekindle.predictions.warning import WarningModel, fit_warning

__all__ = [
    "CONFIDENCE",
    "EPOCH",
    "MOMENT",
    "STEPS",
    "Bin",
    "CardQuestion",
    "DayOfScores",
    "Expected",
    "GroupModels",
    "Histories",
    "HistoryParts",
    "Judgement",
    "KnownPast",
    "LapseRun",
    "ModelCard",
    "MovingModel",
    "Outlook",
    "Participant",
    "PastCut",
    "PastGroup",
    "ReturnModel",
    "ScoreRun",
    "Tenth",
    "Uplift",
    "WarningModel",
    "as_shares",
    "build_card",
    "build_purchase_days",
    "build_traits",
    "estimate_lapses",
    "estimate_returns",
    "estimate_uplift",
    "find_sent",
    "fit_moving",
    "fit_returns",
    "fit_sbg_counts",
    "fit_warning",
    "foresee",
    "foresee_by_model",
    "judge",
    "load_group_models",
    "load_past",
    "past_days",
    "read_histories",
    "read_past_sends",
    "score_day",
    "score_returns",
    "tell_staleness",
    "warn_of_season",
]
