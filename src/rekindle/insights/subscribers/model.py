"""The nouns of a subscription audit, as values with one way out, ``to_json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from rekindle.insights.subscribers.recovering import Recovery, write_hour
from rekindle.insights.subscribers.retaining import Retention
from rekindle.insights.subscribers.worth import WorthLine
from rekindle.insights.survival import Interval
from rekindle.insights.wire import Figure, Json, write_figure, write_interval, write_money
from rekindle.subscriptions import ChurnKind, Definition, HourChoice, Movement
from rekindle.vocabulary import Money, Unknown

SINCE = ("0-30", "31-90", "90+")
"""Days since churn; each part holds those who were still gone when it began."""


@dataclass(frozen=True, slots=True)
class MovementTotal:
    """How often MRR moved so, and by how much together."""

    count: int
    amount: Money

    def to_json(self) -> Json:
        """Return the total as JSON values."""
        return {"count": self.count, "amount": write_money(self.amount)}


@dataclass(frozen=True, slots=True)
class MonthLine:
    """What came in and went in one month; opening and movements are closing, to the cent."""

    month: date
    opening: Money
    movements: Mapping[Movement, MovementTotal]
    closing: Money

    def to_json(self) -> Json:
        """Return the month as JSON values."""
        return {
            "month": f"{self.month:%Y-%m}",
            "opening": write_money(self.opening),
            "movements": {one.value: total.to_json() for one, total in self.movements.items()},
            "closing": write_money(self.closing),
        }


@dataclass(frozen=True, slots=True)
class ReturnRate:
    """How many of those who left so came back within one part of the time since.

    ``churned`` were still gone when that part began, ``reactivated`` came back within it;
    whoever has not been followed to its end counts as not yet back.
    """

    kind: ChurnKind
    since_churn: str
    reason: str
    churned: int
    reactivated: int

    @property
    def rate(self) -> Figure:
        """Return the share that came back, in 0-1."""
        if not self.churned:
            return Unknown("nobody was gone for so long")
        return self.reactivated / self.churned

    def to_json(self) -> Json:
        """Return the rate as JSON values."""
        return {
            "kind": self.kind.value,
            "since_churn": self.since_churn,
            "reason": self.reason or None,
            "churned": self.churned,
            "reactivated": self.reactivated,
            "rate": write_figure(self.rate),
        }


@dataclass(frozen=True, slots=True)
class TimeGone:
    """How long people were gone: of those who came back, and by Kaplan-Meier of all.

    ``median`` and ``mean`` are days of those who came back; ``by_all_median`` counts those
    still gone as still gone.
    """

    returned: int
    median: Figure
    mean: Figure
    by_all_median: Figure

    def to_json(self) -> Json:
        """Return the times as JSON values, in days."""
        return {
            "returned": self.returned,
            "median": write_figure(self.median, 2),
            "mean": write_figure(self.mean, 2),
            "kaplan_meier_median": write_figure(self.by_all_median, 2),
        }


@dataclass(frozen=True, slots=True)
class StayingPoint:
    """The share that left within so many days: first-time subscribers, and those who came back."""

    days: int
    first_time: Interval | Unknown
    came_back: Interval | Unknown

    def to_json(self) -> Json:
        """Return the point as JSON values."""
        return {
            "days": self.days,
            "first_time": write_interval(self.first_time),
            "came_back": write_interval(self.came_back),
        }


@dataclass(frozen=True, slots=True)
class TimesLeft:
    """Of those who left for the so-manieth time, how many came back."""

    times: int
    left: int
    came_back: int

    def to_json(self) -> Json:
        """Return the counts as JSON values."""
        return {"times": self.times, "left": self.left, "came_back": self.came_back}


@dataclass(frozen=True, slots=True)
class SubscriptionAudit:
    """Who pays, who left and who came back, by one stated definition."""

    definition: Definition
    currency: str
    active: int
    movements: Mapping[Movement, MovementTotal]
    months: tuple[MonthLine, ...]
    rates: tuple[ReturnRate, ...]
    time_gone: TimeGone
    staying: tuple[StayingPoint, ...]
    times_left: tuple[TimesLeft, ...]
    notes: tuple[str, ...] = ()
    recovery: tuple[Recovery, ...] = ()
    retention: Retention | None = None
    worth: tuple[WorthLine, ...] = ()
    retry_hour: HourChoice | None = None

    @property
    def opening(self) -> Money:
        """Return MRR before the first movement."""
        return Money(Decimal(0), self.currency)

    @property
    def closing(self) -> Money:
        """Return MRR now: the opening and every movement."""
        moved = sum((total.amount.amount for total in self.movements.values()), Decimal(0))
        return Money(self.opening.amount + moved, self.currency)

    def to_json(self) -> Json:
        """Return the audit as JSON values; amounts in major units a month, shares in 0-1."""
        return {
            "definition": {"name": self.definition.name, "meaning": self.definition.meaning},
            "active": self.active,
            "mrr": {
                "opening": write_money(self.opening),
                "closing": write_money(self.closing),
                "movements": {one.value: total.to_json() for one, total in self.movements.items()},
                "months": [line.to_json() for line in self.months],
            },
            "reactivation_rate": [rate.to_json() for rate in self.rates],
            "time_to_reactivation_days": self.time_gone.to_json(),
            "left_within": [point.to_json() for point in self.staying],
            "times_left": [one.to_json() for one in self.times_left],
            "recovery": [one.to_json() for one in self.recovery],
            "retry_hour": write_hour(self.retry_hour),
            "retention": None if self.retention is None else self.retention.to_json(),
            "worth_bringing_back": [line.to_json() for line in self.worth],
            "notes": list(self.notes),
        }
