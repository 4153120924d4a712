"""Who is held out, how many are enough, and what the difference was worth.

The room turns a journey into an experiment: it draws the arms, sizes the holdout and
estimates the lift. It takes values and returns values; it reads no facts and no ledger.
"""

from __future__ import annotations

from rekindle.experiments.adjusting import (
    Adjustment,
    Cluster,
    PairSums,
    adjust_clusters,
    ask_of_clusters,
    find_adjustment,
)
from rekindle.experiments.assignment import assign, assigner, choose, draw
from rekindle.experiments.balance import MISMATCH, find_imbalance, find_mismatch, presume_shares
from rekindle.experiments.lift import (
    MOST_DEALT,
    ask,
    estimate_lift,
    estimate_lift_from_sums,
    find_trouble,
    find_warnings,
    incremental,
    tell,
)
from rekindle.experiments.model import ArmOutcome, HoldoutPlan, Incremental, Lift
from rekindle.experiments.off_policy import (
    LoggedChoice,
    PolicyJudgement,
    PolicyValue,
    judge_policy,
)
from rekindle.experiments.relative import Relative, relate
from rekindle.experiments.returns import ComingBack, Return, follow_returns
from rekindle.experiments.several import SharedLevel, share_level
from rekindle.experiments.size import (
    holdout_for_lift,
    people_for_lift,
    plan_holdout,
    provable_lift,
    provable_rate_lift,
    with_buyers,
)
from rekindle.experiments.sums import ArmSums, PowerSums
from rekindle.experiments.variants import (
    Against,
    Comparison,
    VariantPerson,
    VariantVerdict,
    compare_variants,
    first_reading,
    provable_difference,
)
from rekindle.experiments.watching import (
    TOO_EARLY,
    OpenEnded,
    ReadingDate,
    Watch,
    find_confidence,
    kind_of,
)
from rekindle.experiments.welch import estimate_welch

__all__ = [
    "MISMATCH",
    "MOST_DEALT",
    "TOO_EARLY",
    "Adjustment",
    "Against",
    "ArmOutcome",
    "ArmSums",
    "Cluster",
    "ComingBack",
    "Comparison",
    "HoldoutPlan",
    "Incremental",
    "Lift",
    "LoggedChoice",
    "OpenEnded",
    "PairSums",
    "PolicyJudgement",
    "PolicyValue",
    "PowerSums",
    "ReadingDate",
    "Relative",
    "Return",
    "SharedLevel",
    "VariantPerson",
    "VariantVerdict",
    "Watch",
    "adjust_clusters",
    "ask",
    "ask_of_clusters",
    "assign",
    "assigner",
    "choose",
    "compare_variants",
    "draw",
    "estimate_lift",
    "estimate_lift_from_sums",
    "estimate_welch",
    "find_adjustment",
    "find_confidence",
    "find_imbalance",
    "find_mismatch",
    "find_trouble",
    "find_warnings",
    "first_reading",
    "follow_returns",
    "holdout_for_lift",
    "incremental",
    "judge_policy",
    "kind_of",
    "people_for_lift",
    "plan_holdout",
    "presume_shares",
    "provable_difference",
    "provable_lift",
    "provable_rate_lift",
    "relate",
    "share_level",
    "tell",
    "with_buyers",
]
