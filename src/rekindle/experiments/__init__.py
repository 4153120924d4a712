"""Who is held out, how many are enough, and what the difference was worth.

The room turns a journey into an experiment: it draws the arms, sizes the holdout and
estimates the lift. It takes values and returns values; it reads no facts and no ledger.
"""

from __future__ import annotations

from rekindle.experiments.assignment import assign, assigner, draw
from rekindle.experiments.lift import estimate_lift, estimate_lift_from_sums, incremental
from rekindle.experiments.model import ArmOutcome, HoldoutPlan, Incremental, Lift
from rekindle.experiments.size import plan_holdout, provable_lift, provable_rate_lift
from rekindle.experiments.sums import ArmSums, PowerSums

__all__ = [
    "ArmOutcome",
    "ArmSums",
    "HoldoutPlan",
    "Incremental",
    "Lift",
    "PowerSums",
    "assign",
    "assigner",
    "draw",
    "estimate_lift",
    "estimate_lift_from_sums",
    "incremental",
    "plan_holdout",
    "provable_lift",
    "provable_rate_lift",
]
