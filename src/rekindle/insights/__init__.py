"""What the history says and what a journey earned, as values, tables and pages."""

from __future__ import annotations

from rekindle.insights.audit import HORIZON, build_audit, build_pace
from rekindle.insights.lifting.budgeting import BudgetAdvice, advise
from rekindle.insights.lifting.forecasting import TestForecast, forecast_test
from rekindle.insights.lifting.parting import PartedPerson, Partings, find_partings
from rekindle.insights.lifting.programme import (
    DrawnPerson,
    Programme,
    ShareSince,
    build_programme,
    find_ended,
    find_net_revenue,
)
from rekindle.insights.lifting.stopping import (
    MessageWorth,
    StoppedPerson,
    StoppingReport,
    StoppingTerms,
    report_stopping,
    weigh_messages,
)
from rekindle.insights.lifting.trial import (
    TrialPlan,
    TrialReport,
    UpliftReport,
    measure_trial,
    measure_uplift,
    trial_tables,
    uplift_tables,
)
from rekindle.insights.lifting.variants import VariantTest
from rekindle.insights.measures import (
    CATALOGUE,
    EVERYONE,
    TARGETED,
    Baseline,
    DeclaredMeasure,
    MeasureTable,
    MeasureTarget,
    TargetStanding,
    build_queries,
    gather,
    judge_targets,
    kept_target_table,
    list_ways,
    measure,
    measure_audit,
    measure_tables,
    target_table,
    write_measure_rows,
    write_measures,
)
from rekindle.insights.model import Audit
from rekindle.insights.outcomes import build_returned, build_unprompted, lives_by_subscriptions
from rekindle.insights.pages import audit_page, card_markdown, card_page, report_page
from rekindle.insights.past_sends.building import with_past_sends
from rekindle.insights.past_sends.tables import past_send_tables
from rekindle.insights.quarantine import QuarantinePage, check_refused, read_quarantine
from rekindle.insights.record import (
    JourneyRecord,
    Membership,
    MessageFate,
    SentMessage,
    VariantMessage,
)
from rekindle.insights.report import JourneyReport, build_report
from rekindle.insights.subscribers.differing import reconcile, reconciliation_tables
from rekindle.insights.subscribers.tables import subscription_tables
from rekindle.insights.tables import (
    TextTable,
    audit_tables,
    budget_tables,
    card_tables,
    programme_tables,
    report_tables,
)
from rekindle.insights.watching import (
    HISTORY_DAYS,
    Daily,
    Direction,
    JudgedCount,
    judge_day,
    judge_entries,
    watch_tables,
    write_watch,
)

__all__ = [
    "CATALOGUE",
    "EVERYONE",
    "HISTORY_DAYS",
    "HORIZON",
    "TARGETED",
    "Audit",
    "Baseline",
    "BudgetAdvice",
    "Daily",
    "DeclaredMeasure",
    "Direction",
    "DrawnPerson",
    "JourneyRecord",
    "JourneyReport",
    "JudgedCount",
    "MeasureTable",
    "MeasureTarget",
    "Membership",
    "MessageFate",
    "MessageWorth",
    "PartedPerson",
    "Partings",
    "Programme",
    "QuarantinePage",
    "SentMessage",
    "ShareSince",
    "StoppedPerson",
    "StoppingReport",
    "StoppingTerms",
    "TargetStanding",
    "TestForecast",
    "TextTable",
    "TrialPlan",
    "TrialReport",
    "UpliftReport",
    "VariantMessage",
    "VariantTest",
    "advise",
    "audit_page",
    "audit_tables",
    "budget_tables",
    "build_audit",
    "build_pace",
    "build_programme",
    "build_queries",
    "build_report",
    "build_returned",
    "build_unprompted",
    "card_markdown",
    "card_page",
    "card_tables",
    "check_refused",
    "find_ended",
    "find_net_revenue",
    "find_partings",
    "forecast_test",
    "gather",
    "judge_day",
    "judge_entries",
    "judge_targets",
    "kept_target_table",
    "list_ways",
    "lives_by_subscriptions",
    "measure",
    "measure_audit",
    "measure_tables",
    "measure_trial",
    "measure_uplift",
    "past_send_tables",
    "programme_tables",
    "read_quarantine",
    "reconcile",
    "reconciliation_tables",
    "report_page",
    "report_stopping",
    "report_tables",
    "subscription_tables",
    "target_table",
    "trial_tables",
    "uplift_tables",
    "watch_tables",
    "weigh_messages",
    "with_past_sends",
    "write_measure_rows",
    "write_measures",
    "write_watch",
]
