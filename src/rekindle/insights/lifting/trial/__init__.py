"""What any experiment's file says of its lift, Rekindle's own or not."""

from __future__ import annotations

from rekindle.insights.lifting.trial.model import TrialMetric, TrialPlan, TrialReport
from rekindle.insights.lifting.trial.moving import (
    ArmUplift,
    UpliftReport,
    measure_uplift,
    uplift_tables,
)
from rekindle.insights.lifting.trial.service import measure_trial
from rekindle.insights.lifting.trial.tables import trial_tables

__all__ = [
    "ArmUplift",
    "TrialMetric",
    "TrialPlan",
    "TrialReport",
    "UpliftReport",
    "measure_trial",
    "measure_uplift",
    "trial_tables",
    "uplift_tables",
]
