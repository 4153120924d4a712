"""How far a measure has come from its baseline to its target, and whether the pace suffices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from rekindle.insights.measures.catalogue import CATALOGUE
from rekindle.insights.measures.model import Unit
from rekindle.insights.measures.telling import say_measure
from rekindle.insights.model import Audit
from rekindle.insights.tables import TextTable
from rekindle.insights.wire import Figure, Json, write_figure, write_unknown
from rekindle.insights.words import UNKNOWN, say_day
from rekindle.vocabulary import Unknown
from rekindle.wording import counted

OF_THE_AUDIT: Mapping[str, Unit] = {
    "drifted_share": Unit.SHARE,
    "returned_share": Unit.SHARE,
}
"""What the audit measures: of all buyers those who drifted away, and of those who had drifted away
a horizon earlier those who have bought since, whatever made them."""
COMPARED = frozenset({"incremental_revenue", "cost_per_incremental_return"})
"""What says how the arms of a journey differ: to see it is a look before its reading date."""
TARGETED: Mapping[str, Unit] = {
    **OF_THE_AUDIT,
    **{name: one.unit for name, one in CATALOGUE.items()},
}
"""Every measure that a target may be set for, with what it counts."""


class TargetPace(StrEnum):
    """Where a target stands."""

    REACHED = "reached"
    ENOUGH = "enough"
    BEHIND = "behind"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the measures were on a day; what could not be measured then says why."""

    taken_on: date
    values: Mapping[str, Figure]

    def to_json(self) -> Json:
        """Return the baseline as JSON values, whole: what is rounded can be no baseline."""
        return {
            "taken_on": self.taken_on.isoformat(),
            "measures": {
                name: write_unknown(one) if isinstance(one, Unknown) else one
                for name, one in self.values.items()
            },
        }


@dataclass(frozen=True, slots=True)
class MeasureTarget:
    """What a measure is to be by a day."""

    measure: str
    value: float
    by: date


@dataclass(frozen=True, slots=True)
class TargetStanding:
    """One target today: the baseline and its day, what it is now, and whether the pace suffices.

    ``due`` is what it had to be today on a straight line from the baseline to the target. A pace
    is nothing but that line: it knows no season and no chance.
    """

    target: MeasureTarget
    today: date
    baseline: Figure
    taken_on: date | None
    now: Figure

    @property
    def days_left(self) -> int:
        """Return how many days are left; negative once the day is over."""
        return (self.target.by - self.today).days

    @property
    def due(self) -> Figure:
        """Return what it had to be today, or why no line can be drawn."""
        if isinstance(self.baseline, Unknown):
            return self.baseline
        assert self.taken_on is not None
        whole = (self.target.by - self.taken_on).days
        if whole <= 0:
            return Unknown(f"the baseline was taken on {self.taken_on}, not before the day")
        if self.baseline == self.target.value:
            return Unknown("the baseline is the target already, so there is no way to go")
        gone = min(max((self.today - self.taken_on).days / whole, 0.0), 1.0)
        return self.baseline + (self.target.value - self.baseline) * gone

    @property
    def pace(self) -> TargetPace | Unknown:
        """Return whether it is reached, or will be if it goes on so, or why nobody knows."""
        due = self.due
        if isinstance(due, Unknown):
            return due
        if isinstance(self.now, Unknown):
            return self.now
        assert not isinstance(self.baseline, Unknown)
        sign = 1 if self.target.value > self.baseline else -1
        if sign * (self.now - self.target.value) >= 0:
            return TargetPace.REACHED
        if self.days_left < 0:
            return TargetPace.MISSED
        return TargetPace.ENOUGH if sign * (self.now - due) >= 0 else TargetPace.BEHIND

    def to_json(self) -> Json:
        """Return the standing as JSON values."""
        pace = self.pace
        return {
            "measure": self.target.measure,
            "unit": TARGETED[self.target.measure].value,
            "baseline": write_figure(self.baseline),
            "taken_on": self.taken_on.isoformat() if self.taken_on else None,
            "now": write_figure(self.now),
            "target": self.target.value,
            "by": self.target.by.isoformat(),
            "days_left": self.days_left,
            "due_today": write_figure(self.due),
            "pace": write_unknown(pace) if isinstance(pace, Unknown) else pace.value,
        }


def measure_audit(audit: Audit) -> Mapping[str, Figure]:
    """Return what the audit measures."""
    drifted: Figure = Unknown("nobody has bought yet")
    if audit.buyers:
        drifted = audit.drifted.customers / audit.buyers
    return {"drifted_share": drifted, "returned_share": audit.proof.base.share}


def judge_targets(
    targets: Sequence[MeasureTarget],
    baseline: Baseline | Unknown,
    now: Mapping[str, Figure],
    *,
    today: date,
) -> tuple[TargetStanding, ...]:
    """Return how each target stands today."""
    return tuple(
        TargetStanding(
            one,
            today,
            baseline if isinstance(baseline, Unknown) else _value(baseline.values, one.measure),
            None if isinstance(baseline, Unknown) else baseline.taken_on,
            _value(now, one.measure),
        )
        for one in targets
    )


def _value(values: Mapping[str, Figure], name: str) -> Figure:
    return values.get(name, Unknown("it was not measured then"))


def target_table(standings: Sequence[TargetStanding], currency: str) -> TextTable:
    """Return the standings as a table."""
    return TextTable(
        "Targets",
        ("measure", "baseline", "now", "due today", "target", "by", "days left", "pace"),
        tuple(_row(one, currency) for one in standings),
        (
            *_taken(standings),
            "Due today lies on a straight line from the baseline to the target; it knows no "
            "season, and a figure of few people moves by chance.",
            *_reasons(standings),
        ),
    )


def kept_target_table(standings: Sequence[TargetStanding], currency: str, read: str) -> TextTable:
    """Return standings of an earlier reading as a narrow table; ``read`` says when it was."""
    return TextTable(
        f"Targets, {read}",
        ("measure", "baseline", "read", "target", "by", "pace"),
        # Neither what was due that day nor the days that were left then.
        tuple((*row[:3], *row[4:6], row[7]) for row in (_row(o, currency) for o in standings)),
        tuple(_reasons(standings)),
    )


def _row(one: TargetStanding, currency: str) -> tuple[str, ...]:
    name = one.target.measure
    values = (one.baseline, one.now, one.due, one.target.value)
    pace = one.pace
    return (
        name.replace("_", " "),
        *(say_measure(TARGETED[name], value, currency) for value in values),
        one.target.by.isoformat(),
        f"{one.days_left:,}".replace("-", "−"),
        UNKNOWN if isinstance(pace, Unknown) else pace.value,
    )


def _taken(standings: Sequence[TargetStanding]) -> Iterator[str]:
    days = {one.taken_on for one in standings if one.taken_on is not None}
    for day in days:
        ago = (standings[0].today - day).days
        yield (
            f"The baseline was taken on {say_day(day, 'UTC')}, {counted(ago, 'day')} ago; "
            "`rekindle audit --baseline` takes a new one."
        )


def _reasons(standings: Sequence[TargetStanding]) -> Iterator[str]:
    """Yield why something is unknown, each reason once with the measures it is about."""
    told: dict[str, list[str]] = {}
    for one in standings:
        for figure in (one.baseline, one.now, one.pace):
            if isinstance(figure, Unknown):
                names = told.setdefault(figure.reason, [])
                if (name := one.target.measure.replace("_", " ")) not in names:
                    names.append(name)
    for reason, names in told.items():
        yield f"Unknown ({', '.join(names)}): {reason}."
