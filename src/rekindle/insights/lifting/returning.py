"""Lines up a journey's returns, each beside who could still have returned at that moment."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime

from rekindle.experiments import ComingBack, Return, follow_returns
from rekindle.insights.outcomes import Returned
from rekindle.insights.record import JourneyRecord
from rekindle.vocabulary import Arm, Unknown


def follow_journey(record: JourneyRecord, returned: Returned) -> ComingBack | Unknown:
    """Return what the returns to a journey say, counted in the order in which they came.

    Somebody can return from their entry until they do or their window closes; the treated
    share of those is what each return is held against.
    """
    within = record.journey.goal.within
    entered: dict[Arm, list[datetime]] = {arm: [] for arm in Arm}
    left: dict[Arm, list[datetime]] = {arm: [] for arm in Arm}
    for one in record.assigned:
        entered[one.arm].append(one.entered_at)
        found = returned.get(one.person)
        left[one.arm].append(one.entered_at + within if found is None else found[1])
    away = {arm: (sorted(entered[arm]), sorted(left[arm])) for arm in Arm}
    told = []
    for one, at in sorted(returned.values(), key=lambda found: (found[1], found[0].person)):
        counts = {arm: _count(*away[arm], at) for arm in Arm}
        everyone = sum(counts.values())
        if everyone:
            told.append(Return(one.arm is Arm.TREATMENT, counts[Arm.TREATMENT] / everyone))
    return follow_returns(told)


def _count(entered: Sequence[datetime], left: Sequence[datetime], at: datetime) -> int:
    """Return how many could return at an instant, those who do then among them."""
    return bisect_left(entered, at) - bisect_left(left, at)
