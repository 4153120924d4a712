"""How many reached a goal that is no purchase: in each arm, inside their windows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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
    assigned, reached = _count(record, signals)
    return GoalReached(event, assigned, reached, _estimate(at_reading, signals, reading))


def _estimate(record: JourneyRecord, signals: Iterable[Signal], reading: Readout) -> Lift | Unknown:
    assigned, reached = _count(record, signals)
    if (mismatch := find_mismatch_of(record, assigned)) is not None:
        return mismatch
    arms = [
        ArmOutcome.of_count(assigned[arm], reached[arm]) for arm in (Arm.TREATMENT, Arm.HOLDOUT)
    ]
    return estimate_lift(*arms, metric=GOAL_RATE, watch=reading.watch)


def _count(
    record: JourneyRecord, signals: Iterable[Signal]
) -> tuple[Mapping[Arm, int], Mapping[Arm, int]]:
    """Return by arm how many were assigned, and for how many of them it happened.

    That is after they entered, inside their window and the record.
    """
    within, until = record.journey.goal.within, record.until
    windows = {
        one.person: (one.entered_at, min(one.entered_at + within, until)) for one in record.assigned
    }
    reached = {
        one.person
        for one in signals
        if (window := windows.get(one.person)) and window[0] < one.at <= window[1]
    }
    people = {one.person: one.arm for one in record.members}
    counts = Counter(people.values()), Counter(people[person] for person in reached)
    assigned, found = ({arm: count[arm] for arm in Arm} for count in counts)
    return assigned, found
