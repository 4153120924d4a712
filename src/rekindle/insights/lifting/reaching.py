"""How many reached a goal that is no purchase: in each arm, inside their windows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from rekindle.experiments import ArmOutcome, Lift, estimate_lift
from rekindle.facts import Engine, Facts
from rekindle.insights.lifting.estimating import find_mismatch_of
from rekindle.insights.lifting.reading import Readout
from rekindle.insights.record import JourneyRecord
from rekindle.journeys import Signal
from rekindle.journeys.population import list_signals
from rekindle.vocabulary import Arm, SignalKind, Unknown

GOAL_RATE = "goal rate per assigned customer"
OF_MESSAGES = frozenset(
    kind.value
    for kind in (SignalKind.OPEN, SignalKind.CLICK, SignalKind.REPLY, SignalKind.OFFER_USED)
)
"""What only somebody can do who had a message: the holdout has none of it."""


@dataclass(frozen=True, slots=True)
class GoalReached:
    """For how many of each arm the goal's event happened, each person counted once.

    ``lift`` is treatment less holdout, of the share of those assigned, in 0-1.
    """

    event: str
    assigned: Mapping[Arm, int]
    reached: Mapping[Arm, int]
    lift: Lift | Unknown

    def share(self, arm: Arm) -> float | Unknown:
        """Return the share of those assigned to an arm who reached it, in 0-1."""
        people = self.assigned[arm]
        return self.reached[arm] / people if people else Unknown("nobody was assigned to this arm")


def find_reached(
    record: JourneyRecord, at_reading: JourneyRecord, reading: Readout, read: tuple[Facts, Engine]
) -> GoalReached | Unknown | None:
    """Return who reached the goal of a record, or why nobody can say; None for a purchase.

    The difference is as of ``at_reading``, the record as it stood at the reading date.
    """
    event = record.journey.goal.on
    if event == SignalKind.ORDER:
        return None
    if event in OF_MESSAGES:
        return Unknown(
            f"only who has a message can do it ({event}), so the holdout says nothing about it"
        )
    facts, engine = read
    signals = [one for one in list_signals(engine, facts, {event}) if one.at <= record.until]
    if not signals:
        return Unknown(f"nobody is known to have done it: no {event} is in the facts")
    people = {one.person: one.arm for one in record.members}
    return GoalReached(
        event,
        _count(people, people),
        _count(people, _find_people(record, signals)),
        _estimate(at_reading, signals, reading),
    )


def _find_people(record: JourneyRecord, signals: Iterable[Signal]) -> set[str]:
    """Return for whom it happened after they entered, inside their window and the record."""
    within = record.journey.goal.within
    windows = {
        one.person: (one.entered_at, min(one.entered_at + within, record.until))
        for one in record.assigned
    }
    none = (record.until, record.until)
    return {one.person for one in signals if _is_inside(one.at, windows.get(one.person, none))}


def _is_inside(at: datetime, window: tuple[datetime, datetime]) -> bool:
    return window[0] < at <= window[1]


def _estimate(record: JourneyRecord, signals: Iterable[Signal], reading: Readout) -> Lift | Unknown:
    people = {one.person: one.arm for one in record.members}
    assigned, reached = _count(people, people), _count(people, _find_people(record, signals))
    if (mismatch := find_mismatch_of(record, assigned)) is not None:
        return mismatch
    arms = [
        ArmOutcome.of_count(assigned[arm], reached[arm]) for arm in (Arm.TREATMENT, Arm.HOLDOUT)
    ]
    return estimate_lift(*arms, metric=GOAL_RATE, watch=reading.watch)


def _count(people: Mapping[str, Arm], chosen: Collection[str]) -> dict[Arm, int]:
    counted = Counter(people[person] for person in chosen)
    return {arm: counted[arm] for arm in Arm}
