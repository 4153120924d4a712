"""The catalogue of measures, and what they say of a journey or of all of them."""

from __future__ import annotations

from rekindle.insights.measures.catalogue import CATALOGUE
from rekindle.insights.measures.definitions import (
    REACTIVATIONS,
    RateReconciliation,
    find_reactivation,
    rate_tables,
    reconcile_rates,
)
from rekindle.insights.measures.gathering import build_queries, gather
from rekindle.insights.measures.grouping import EVERYONE, list_ways
from rekindle.insights.measures.model import (
    ASSIGNED,
    DeclaredMeasure,
    MeasuredPeople,
    MeasureTable,
)
from rekindle.insights.measures.targets import (
    COMPARED,
    TARGETED,
    Baseline,
    MeasureTarget,
    TargetStanding,
    judge_targets,
    kept_target_table,
    measure_audit,
    target_table,
)
from rekindle.insights.measures.telling import (
    measure,
    measure_tables,
    write_measure_rows,
    write_measures,
)

__all__ = [
    "ASSIGNED",
    "CATALOGUE",
    "COMPARED",
    "EVERYONE",
    "REACTIVATIONS",
    "TARGETED",
    "Baseline",
    "DeclaredMeasure",
    "MeasureTable",
    "MeasureTarget",
    "MeasuredPeople",
    "RateReconciliation",
    "TargetStanding",
    "build_queries",
    "find_reactivation",
    "gather",
    "judge_targets",
    "kept_target_table",
    "list_ways",
    "measure",
    "measure_audit",
    "measure_tables",
    "rate_tables",
    "reconcile_rates",
    "target_table",
    "write_measure_rows",
    "write_measures",
]
