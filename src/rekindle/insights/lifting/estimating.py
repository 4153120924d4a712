"""The differences between a journey's arms, over everybody in it or a part of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from rekindle.experiments import (
    MISMATCH,
    ArmOutcome,
    ComingBack,
    Lift,
    estimate_lift,
    find_mismatch,
)
from rekindle.insights.lifting.reading import Readout
from rekindle.insights.lifting.returning import follow_journey
from rekindle.insights.outcomes import Outcomes, find_returned
from rekindle.insights.record import JourneyRecord
from rekindle.vocabulary import Arm, Unknown
from rekindle.wording import percent

NET_REVENUE = "net revenue per assigned customer"
RETURN_RATE = "return rate per assigned customer"
# What an interval keeps over all looks that its kind allows.
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class JourneyLifts:
    """The differences, and the arms' revenue they come from, treatment first."""

    revenue: Lift | Unknown
    returns: Lift | Unknown
    coming_back: ComingBack | Unknown
    arms: tuple[ArmOutcome, ArmOutcome]


def cut_at_reading(record: JourneyRecord, reading: Readout) -> JourneyRecord:
    """Return a record as it stood at the reading date, once that is over.

    Who entered or bought later is in every other figure; a difference that went on moving
    after its date would be looked at without end.
    """
    if reading.ends_at is None or record.until <= reading.ends_at:
        return record
    members = [one for one in record.members if one.entered_at <= reading.ends_at]
    return replace(record, until=reading.ends_at, members=members)


def estimate_lifts(
    record: JourneyRecord,
    outcomes: Outcomes,
    reading: Readout,
    *,
    confidence: float = CONFIDENCE,
) -> JourneyLifts:
    """Return the differences between the arms of a record; whoever is not in it does not count."""
    returned = find_returned(record, outcomes)
    people = {one.person: one.arm for one in record.members}
    assigned = Counter(people.values())
    came = Counter(people[person] for person in returned)
    treatment, holdout = (
        ArmOutcome(
            assigned[arm],
            tuple(net for who, net in outcomes.revenue.items() if people.get(who) is arm),
        )
        for arm in (Arm.TREATMENT, Arm.HOLDOUT)
    )
    rates = [ArmOutcome.of_count(assigned[arm], came[arm]) for arm in (Arm.TREATMENT, Arm.HOLDOUT)]
    mismatch = find_mismatch_of(record, assigned)
    if isinstance(mismatch, Unknown):
        return JourneyLifts(mismatch, mismatch, mismatch, (treatment, holdout))
    watch = reading.watch
    if returned and not any((*treatment.values, *holdout.values)):
        revenue: Lift | Unknown = Unknown("those who came back brought nothing inside their window")
    else:
        revenue = estimate_lift(
            treatment, holdout, metric=NET_REVENUE, watch=watch, confidence=confidence
        )
    returns = estimate_lift(*rates, metric=RETURN_RATE, watch=watch, confidence=confidence)
    return JourneyLifts(revenue, returns, follow_journey(record, returned), (treatment, holdout))


def find_mismatch_of(record: JourneyRecord, assigned: Mapping[Arm, int]) -> Unknown | None:
    """Return why nothing can be estimated where the arms are not as large as they were drawn."""
    planned = record.holdout_share
    if not 0 < planned < 1 or not all(assigned[arm] for arm in Arm):
        return None
    shares = {Arm.HOLDOUT.value: planned, Arm.TREATMENT.value: 1 - planned}
    chance = find_mismatch({arm.value: assigned[arm] for arm in Arm}, shares)
    if isinstance(chance, Unknown) or chance >= MISMATCH:
        return None
    return Unknown(
        f"{percent(assigned[Arm.HOLDOUT] / sum(assigned.values()))} are in the holdout where "
        f"{percent(planned)} were drawn, which is no chance (p = {chance:.2g}): people are "
        "missing from one arm, and what is left cannot be compared"
    )
