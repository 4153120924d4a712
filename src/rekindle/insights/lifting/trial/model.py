"""The nouns of a file's lift: how it is to be read, and what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rekindle.experiments import Lift, Watch
from rekindle.insights.wire import Json
from rekindle.vocabulary import IntervalKind, Unknown

# Sums in an engine depend in their last digits on who added what first.
_DIGITS = 10


@dataclass(frozen=True, slots=True)
class TrialPlan:
    """How a file is to be read: ``shares`` planned by arm, ``watch`` for looks before the end.

    ``is_welch`` asks for Welch's interval, as other tools print it.
    """

    shares: Mapping[str, float] = field(default_factory=dict)
    watch: Watch = None
    is_welch: bool = False
    confidence: float = 0.95


@dataclass(frozen=True, slots=True)
class TrialMetric:
    """One outcome of one arm against the control, or why it cannot be estimated."""

    outcome: str
    arm: str
    interval: IntervalKind
    control_mean: float | Unknown
    arm_mean: float | Unknown
    lift: Lift | Unknown
    warnings: Sequence[str] = ()

    @property
    def relative(self) -> float | Unknown:
        """Return the difference as a part of the control's mean."""
        if isinstance(self.lift, Unknown):
            return self.lift
        if isinstance(self.control_mean, Unknown) or self.control_mean <= 0:
            return Unknown("the control's mean is not above 0")
        return self.lift.difference / self.control_mean

    def to_json(self) -> Json:
        """Return the metric as JSON values; ``not_estimable`` instead of numbers."""
        named: Json = {"outcome": self.outcome, "arm": self.arm}
        lift = self.lift
        if isinstance(lift, Unknown):
            return named | {
                "not_estimable": lift.reason,
                "interval": self.interval.value,
                "warnings": list(self.warnings),
            }
        return named | {
            "control_mean": _write(self.control_mean),
            "arm_mean": _write(self.arm_mean),
            "difference": _write(lift.difference),
            "low": _write(lift.low),
            "high": _write(lift.high),
            "p_value": _write(lift.p_value),
            "relative": _write(self.relative),
            "interval": self.interval.value,
            "method": lift.method,
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, slots=True)
class TrialReport:
    """What a file says: people by arm, whether the arms are as planned, and every lift.

    ``is_presumed`` says that nobody named a plan: arms of about one size are judged as equal.
    """

    assigned: Mapping[str, int]
    mismatch: float | Unknown
    metrics: Sequence[TrialMetric]
    is_presumed: bool = False

    def to_json(self) -> Json:
        """Return the report as JSON values."""
        told: Json = {"assigned": dict(self.assigned)}
        if isinstance(self.mismatch, Unknown):
            told |= {"srm_p_value": None, "srm_unknown": self.mismatch.reason}
        else:
            told["srm_p_value"] = _write(self.mismatch)
        return told | {"metrics": [one.to_json() for one in self.metrics]}


def _write(figure: float | Unknown) -> object:
    if isinstance(figure, Unknown):
        return {"not_estimable": figure.reason}
    return float(f"{figure:.{_DIGITS}g}")
