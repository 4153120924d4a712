"""What journeys did and earned: one report a journey, and the measures of some or all."""

from __future__ import annotations

from rekindle.desk.reporting.aiming import (
    judge_workspace,
    keep_baseline,
    load_targets,
    read_daily,
)
from rekindle.desk.reporting.budgeting import advise_budget
from rekindle.desk.reporting.journeys import load_record, report_journey
from rekindle.desk.reporting.learning import note_plan, note_result
from rekindle.desk.reporting.measuring import (
    explain_measure,
    measure_journeys,
    reconcile_journeys,
)
from rekindle.desk.reporting.programme import find_terms, leave_out, report_programme

__all__ = [
    "advise_budget",
    "explain_measure",
    "find_terms",
    "judge_workspace",
    "keep_baseline",
    "leave_out",
    "load_record",
    "load_targets",
    "measure_journeys",
    "note_plan",
    "note_result",
    "read_daily",
    "reconcile_journeys",
    "report_journey",
    "report_programme",
]
