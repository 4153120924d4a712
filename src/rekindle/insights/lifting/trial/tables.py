"""A file's lift as plain tables, one an outcome."""

from __future__ import annotations

from rekindle.experiments import Lift
from rekindle.insights.lifting.trial.model import TrialMetric, TrialReport
from rekindle.insights.tables import TextTable
from rekindle.insights.words import UNKNOWN
from rekindle.vocabulary import Unknown
from rekindle.wording import percent


def trial_tables(report: TrialReport) -> tuple[TextTable, ...]:
    """Return the people by arm, then each outcome with its lifts."""
    outcomes = list(dict.fromkeys(one.outcome for one in report.metrics))
    return (_arm_table(report), *(_outcome_table(report, outcome) for outcome in outcomes))


def _arm_table(report: TrialReport) -> TextTable:
    mismatch = report.mismatch
    people = sum(report.assigned.values())
    plan = "equal ones (--expected says others)" if report.is_presumed else "the planned shares"
    told = (
        f"Whether the arms are as large as planned is unknown: {mismatch.reason}."
        if isinstance(mismatch, Unknown)
        else f"Arms at least as far from {plan} have a chance of {mismatch:.2g}."
    )
    return TextTable(
        "The arms",
        ("arm", "people", "share"),
        tuple((arm, f"{n:,}", percent(n / people)) for arm, n in report.assigned.items()),
        (told,),
    )


def _outcome_table(report: TrialReport, outcome: str) -> TextTable:
    metrics = [one for one in report.metrics if one.outcome == outcome]
    known = [one.lift for one in metrics if isinstance(one.lift, Lift)]
    method = [f"{known[0].method}, {metrics[0].interval.value}."] if known else []
    reasons = [f"{one.arm}: {one.lift.reason}." for one in metrics if isinstance(one.lift, Unknown)]
    warnings = list(dict.fromkeys(w for one in metrics for w in one.warnings))
    return TextTable(
        outcome,
        ("arm", "control", "arm's", "difference", "from", "to", "relative", "p"),
        tuple(_row(one) for one in metrics),
        (*reasons, *(f"{warning[:1].upper()}{warning[1:]}." for warning in warnings), *method),
    )


def _row(one: TrialMetric) -> tuple[str, ...]:
    means = [_say(one.control_mean), _say(one.arm_mean)]
    lift = one.lift
    if isinstance(lift, Unknown):
        return (one.arm, *means, UNKNOWN, "", "", "", "")
    relative = one.relative
    return (
        one.arm,
        *means,
        *(_say(figure) for figure in (lift.difference, lift.low, lift.high)),
        UNKNOWN if isinstance(relative, Unknown) else percent(relative),
        f"{lift.p_value:.4f}",
    )


def _say(figure: float | Unknown) -> str:
    return UNKNOWN if isinstance(figure, Unknown) else f"{figure:,.6g}"
