"""The lift in each part of a journey's people, told apart by what they were as they entered.

Nobody drew these parts, and whoever looks at many of them finds one that stands out by
chance alone. So every interval is as wide as it takes for all of them to hold together
(Bonferroni), and what shows all the same is a reason for a test of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rekindle.experiments import Lift
from rekindle.insights.lifting.estimating import CONFIDENCE, estimate_lifts
from rekindle.insights.lifting.programme import write_lift
from rekindle.insights.lifting.reading import Readout
from rekindle.insights.outcomes import Outcomes, find_returned
from rekindle.insights.record import NOT_KEPT, JourneyRecord, Membership, name_subgroup
from rekindle.insights.wire import Figure, Json
from rekindle.vocabulary import MICROS, Arm, Unknown
from rekindle.wording import counted

MOST_SUBGROUPS = 12
OTHERS = "all others"


@dataclass(frozen=True, slots=True)
class Subgroup:
    """One subgroup: its people by arm, who came back, what its messages cost, and the differences.

    ``cost`` is in major units, of the messages that left to its treated people.
    """

    name: str
    assigned: Mapping[Arm, int]
    returned: Mapping[Arm, int]
    cost: float
    lift: Lift | Unknown
    return_lift: Lift | Unknown

    @property
    def is_compared(self) -> bool:
        """Return whether somebody of both arms is in it."""
        return all(self.assigned[arm] for arm in Arm)

    def return_rate(self, arm: Arm) -> Figure:
        """Return the share of an arm's people who came back, in 0-1."""
        people = self.assigned[arm]
        return self.returned[arm] / people if people else Unknown(f"nobody is in {arm.value}")

    def to_json(self) -> Json:
        """Return the subgroup as JSON values; amounts in major units."""
        return {
            "name": self.name,
            "assigned": {arm.value: self.assigned[arm] for arm in Arm},
            "returned": {arm.value: self.returned[arm] for arm in Arm},
            "cost": round(self.cost, 4),
            "lift": write_lift(self.lift),
            "return_rate_lift": write_lift(self.return_lift),
        }


@dataclass(frozen=True, slots=True)
class Subgroups:
    """The subgroups of a journey ``by`` a column of the profile, the largest first.

    Each interval is at ``confidence``, so that all of them hold together at 95 %.
    """

    by: str
    confidence: float
    subgroups: Sequence[Subgroup]

    @property
    def told(self) -> tuple[str, ...]:
        """Return in words what subgroups may be used for."""
        compared = sum(one.is_compared for one in self.subgroups)
        notes = [
            f"Exploratory: {counted(compared, 'subgroup')} looked at together, each with a "
            f"{self.confidence * 100:.4g} % interval, so that 19 of 20 such tables hold as a "
            "whole. One that stands out is a reason for a test of its own."
        ]
        if any(one.name == NOT_KEPT for one in self.subgroups):
            notes.append(
                f"{NOT_KEPT}: they entered before it was kept what people are as they enter, or "
                "were erased."
            )
        return tuple(notes)

    def to_json(self) -> Json:
        """Return the subgroups as JSON values."""
        return {
            "by": self.by,
            "exploratory": True,
            "confidence": round(self.confidence, 6),
            "subgroups": [one.to_json() for one in self.subgroups],
            "notes": list(self.told),
        }


def estimate_subgroups(
    record: JourneyRecord, outcomes: Outcomes, reading: Readout, *, by: str
) -> Subgroups:
    """Return the lift in each subgroup of a record's people, by a covariate.

    At most ``MOST_SUBGROUPS`` stand alone; the smaller ones are one part together.
    """
    records = split_record(record, by)
    compared = sum(len({one.arm for one in part.members}) == len(Arm) for part in records.values())
    confidence = 1 - (1 - CONFIDENCE) / max(compared, 1)
    return Subgroups(
        by,
        confidence,
        [
            _estimate_subgroup(name, part, outcomes, reading, confidence)
            for name, part in records.items()
        ],
    )


def split_record(record: JourneyRecord, by: str) -> Mapping[str, JourneyRecord]:
    """Return a record of each subgroup's people and what became of their messages, by name.

    The largest come first; at most ``MOST_SUBGROUPS``, of which the last is all others.
    """
    names = _name_subgroups(record, by)
    sizes = Counter(names.values())
    return {
        name: keep_people(record, [one for one in record.members if names[one.person] == name])
        for name in sorted(sizes, key=lambda name: (-sizes[name], name))
    }


def keep_people(record: JourneyRecord, members: Sequence[Membership]) -> JourneyRecord:
    """Return a record of these members alone, and of what became of messages to them."""
    inside = {one.person for one in members}
    fates = [one for one in record.fates if one.person in inside]
    return replace(record, members=members, fates=fates)


def find_cost(record: JourneyRecord) -> float:
    """Return what the messages cost that a record's windows answer for, in major units."""
    return sum(one.cost_micros for one in record.pick_measured(record.fates)) / MICROS


def _name_subgroups(record: JourneyRecord, by: str) -> Mapping[str, str]:
    """Return the subgroup of each person."""
    found = {one.person: name_subgroup(one.covariates, by) for one in record.assigned}
    sizes = Counter(found.values())
    if len(sizes) <= MOST_SUBGROUPS:
        return found
    largest = sorted(sizes, key=lambda name: (-sizes[name], name))[: MOST_SUBGROUPS - 1]
    return {person: name if name in largest else OTHERS for person, name in found.items()}


def _estimate_subgroup(
    name: str,
    part: JourneyRecord,
    outcomes: Outcomes,
    reading: Readout,
    confidence: float,
) -> Subgroup:
    lifts = estimate_lifts(part, outcomes, reading, confidence=confidence)
    arms = {one.person: one.arm for one in part.members}
    assigned, came = Counter(arms.values()), find_returned(part, outcomes)
    returned = Counter(arms[person] for person in came)
    return Subgroup(
        name,
        {arm: assigned[arm] for arm in Arm},
        {arm: returned[arm] for arm in Arm},
        find_cost(part),
        lifts.revenue,
        lifts.returns,
    )
