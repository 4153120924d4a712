"""What any experiment's file says of its lift, Rekindle's own or not."""

from __future__ import annotations

from rekindle.insights.trial.model import TrialMetric, TrialPlan, TrialReport
from rekindle.insights.trial.service import measure_trial
from rekindle.insights.trial.tables import trial_tables

__all__ = ["TrialMetric", "TrialPlan", "TrialReport", "measure_trial", "trial_tables"]
