"""The money of a report: what a lift adds up to, against what was spent, and what was needed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rekindle.experiments import (
    ArmOutcome,
    ArmSums,
    Lift,
    holdout_for_lift,
    people_for_lift,
    provable_lift,
    relate,
    with_buyers,
)
from rekindle.insights.wire import Json, write_figure, write_told
from rekindle.vocabulary import Unknown

RELATIVE_METHOD = "each end of the interval over the holdout's mean that it implies"


@dataclass(frozen=True, slots=True)
class Range:
    """A figure with its ends; an end is None where nothing bounds it."""

    value: float
    low: float | None
    high: float | None

    def to_json(self) -> Json:
        """Return the figure and its ends, rounded."""
        ends = {"low": self.low, "high": self.high}
        return {"value": round(self.value, 4)} | {
            name: None if end is None else round(end, 4) for name, end in ends.items()
        }


@dataclass(frozen=True, slots=True)
class Power:
    """What a list of this size can prove, and what it would take for what was seen.

    ``provable`` is the smallest difference per customer that four journeys in five would
    show; the others are for a difference as large as the seen one: ``people_needed``,
    ``days_until`` there are so many, and the share ``holdout_needed`` of the list as it is.
    """

    provable: float | Unknown
    people_needed: float | Unknown
    days_until: float | Unknown
    holdout_needed: float | Unknown

    def to_json(self) -> Json:
        """Return the figures, or why there are none."""
        return {
            "provable_lift": write_figure(self.provable),
            "people_for_this_lift": write_figure(self.people_needed, 0),
            "days_until_shown": write_figure(self.days_until, 0),
            "holdout_for_this_lift": write_figure(self.holdout_needed),
        }


@dataclass(frozen=True, slots=True)
class Earnings:
    """What the difference adds up to over everyone treated.

    ``total`` is money; ``relative`` a part of the holdout's mean; ``on_spend`` money earned
    for each unit of money that the messages cost; ``per_return`` what one return that would
    not have been cost, beside which stands what winning a new customer costs, where that is said.
    """

    total: Range | Unknown
    relative: Range | Unknown
    on_spend: Range | Unknown
    per_return: Range | Unknown
    power: Power
    acquisition_cost: float | None = None

    def to_json(self) -> Json:
        """Return every figure under its key."""
        told: Json = {
            "total": write_told(self.total),
            "relative": write_told(self.relative),
            "return_on_spend": write_told(self.on_spend),
            "cost_per_incremental_return": write_told(self.per_return),
            "cost_per_acquisition": self.acquisition_cost,
            "power": self.power.to_json(),
        }
        if isinstance(self.relative, Range):
            told["relative_method"] = RELATIVE_METHOD
        return told


def find_earnings(
    lift: Lift | Unknown,
    return_lift: Lift | Unknown,
    arms: tuple[ArmOutcome, ArmOutcome],
    *,
    cost: float,
    days: float,
) -> Earnings:
    """Return what the lifts of ``arms`` (treatment, holdout) add up to after ``days``."""
    treated = arms[0].assigned
    total = lift if isinstance(lift, Unknown) else _scale(lift, treated)
    power = _find_power(lift, arms, days)
    return Earnings(
        total=total,
        relative=_find_relative(lift, arms),
        on_spend=_per_cost(total, cost),
        per_return=find_per_return(
            return_lift if isinstance(return_lift, Unknown) else _scale(return_lift, treated), cost
        ),
        power=power,
    )


def add_up(lifts: Sequence[tuple[Lift, int]]) -> Range:
    """Return what the lifts of several journeys add up to, each over the people treated in it.

    Each end lies as far from the sum as the journeys' own ends lie from their differences, added
    in squares: every journey draws its arms by itself, so that chance in one says nothing of the
    next, whoever is in both. Zou & Donner, Statistics in Medicine 27 (2008), 1693-1702.
    """
    parts = [(lift.difference * n, lift.low * n, lift.high * n) for lift, n in lifts]
    if len(parts) == 1:
        return Range(*parts[0])
    total = math.fsum(value for value, _, _ in parts)
    return Range(
        total,
        total - math.hypot(*(value - low for value, low, _ in parts)),
        total + math.hypot(*(high - value for value, _, high in parts)),
    )


def _scale(lift: Lift, factor: float) -> Range:
    return Range(lift.difference * factor, lift.low * factor, lift.high * factor)


def _find_relative(lift: Lift | Unknown, arms: tuple[ArmOutcome, ArmOutcome]) -> Range | Unknown:
    if isinstance(lift, Unknown):
        return lift
    found = relate(arms[0].sums, arms[1].sums, lift)
    return found if isinstance(found, Unknown) else Range(found.value, found.low, found.high)


def _per_cost(total: Range | Unknown, cost: float) -> Range | Unknown:
    if isinstance(total, Unknown):
        return total
    if cost <= 0:
        return Unknown("the messages cost nothing that was recorded")
    return Range(
        total.value / cost,
        None if total.low is None else total.low / cost,
        None if total.high is None else total.high / cost,
    )


def find_per_return(returns: Range | Unknown, cost: float) -> Range | Unknown:
    """Return what each of these returns cost, which would not have been without the messages."""
    if isinstance(returns, Unknown):
        return returns
    if cost <= 0:
        return Unknown("the messages cost nothing that was recorded")
    if returns.value <= 0 or returns.high is None:
        return Unknown("no more people returned than in the holdout")
    dearest = cost / returns.low if returns.low is not None and returns.low > 0 else None
    return Range(cost / returns.value, cost / returns.high, dearest)


def _find_power(lift: Lift | Unknown, arms: tuple[ArmOutcome, ArmOutcome], days: float) -> Power:
    people = arms[0].assigned + arms[1].assigned
    if isinstance(lift, Unknown) or not people:
        reason = lift if isinstance(lift, Unknown) else Unknown("nobody was assigned")
        return Power(reason, reason, reason, reason)
    share = arms[1].assigned / people
    both = arms[0].sums + arms[1].sums
    spread = math.sqrt(both.variance)
    provable = _find_provable(both, arms[1].sums.mean, share, people)
    needed = people_for_lift(
        lift=abs(lift.difference), holdout_share=share, standard_deviation=spread
    )
    held = holdout_for_lift(people=people, lift=abs(lift.difference), standard_deviation=spread)
    if isinstance(needed, Unknown):
        return Power(provable, needed, needed, held)
    waiting = max(needed - people, 0.0) * days / people
    return Power(provable, needed, waiting, held)


def _find_provable(both: ArmSums, held: float, share: float, people: int) -> float | Unknown:
    """Return the smallest lift that is likely to show: more buyers with the baskets of both arms.

    ``held`` is the mean of the holdout, to which they are added. Where refunds outweigh what was
    bought there are no such buyers, and the lift is a shift of everybody.
    """
    spread, mean = math.sqrt(both.variance), None
    if min(both.mean, held) > 0:
        mean, spread = with_buyers(both.mean, spread, held / both.mean)
    return provable_lift(people=people, holdout_share=share, standard_deviation=spread, mean=mean)
