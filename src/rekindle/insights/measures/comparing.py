"""What a journey made happen, by its holdout: revenue, returns and customers not lost.

Each journey is compared with its own holdout, by the report's rule, and what it added is summed:
holdouts of different shares are no one group.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from rekindle.experiments import ArmOutcome, Lift, OpenEnded, estimate_lift
from rekindle.insights.lifting.earnings import Range, add_up, find_per_return
from rekindle.insights.lifting.estimating import JourneyLifts, estimate_lifts
from rekindle.insights.lifting.subgroups import find_cost, keep_people
from rekindle.insights.measures.model import Group, Lifts, MeasuredPeople, Subject, Value
from rekindle.vocabulary import Unknown
from rekindle.wording import counted

LOST_DAYS = 180
LOST = timedelta(days=LOST_DAYS)
LOST_SHARE = "share of customers not lost"
NOBODY_TREATED = Unknown("nobody was assigned to be treated")
TOO_SOON = Unknown(
    f"there are no people in both arms who entered {LOST_DAYS} days before the newest order"
)
OF_STAYS = Unknown(
    "these people live by subscriptions, of which days without a purchase say nothing; "
    "`rekindle audit` tells how many are lost"
)


@dataclass(frozen=True, slots=True)
class AddedUp:
    """What journeys made happen together, to ``people`` of theirs; ``note`` says which are not in.

    ``journeys`` are those that are.
    """

    total: Range
    people: int
    journeys: Sequence[str]
    note: str


def find_lifts(subjects: Sequence[Subject], of: MeasuredPeople, confidence: float) -> Lifts:
    """Return the differences between the arms of these people, by journey, as reports have them."""
    inside: defaultdict[str, set[str]] = defaultdict(set)
    for one in subjects:
        inside[one.journey].add(one.person)
    return {
        name: _compare(of, name, people, confidence)
        for name, people in inside.items()
        if name in of.journeys
    }


def _compare(of: MeasuredPeople, name: str, people: set[str], confidence: float) -> JourneyLifts:
    whole = of.journeys[name]
    members = [one for one in whole.record.members if one.person in people]
    part = keep_people(whole.record, members)
    return estimate_lifts(part, whole.outcomes, whole.reading, confidence=confidence)


def sum_revenue(group: Group) -> Value:
    """Return what the treated brought beyond what they would have brought without it."""
    added = _add_up(group, {name: one.revenue for name, one in group.lifts.items()})
    if isinstance(added, Unknown):
        return Value(added)
    total = added.total
    return Value(total.value, base=added.people, low=total.low, high=total.high, note=added.note)


def average_incremental_cost(group: Group) -> Value:
    """Return what messages cost per return that would not have been without them."""
    beside = group.of.acquisition
    added = _add_up(group, {name: one.returns for name, one in group.lifts.items()})
    if isinstance(added, Unknown):
        return Value(added, beside=beside)
    found = find_per_return(added.total, _cost(group, added.journeys))
    if isinstance(found, Unknown):
        return Value(found, beside=beside)
    return Value(
        found.value,
        base=added.people,
        low=found.low,
        high=found.high,
        beside=beside,
        note=added.note,
    )


def _cost(group: Group, journeys: Sequence[str]) -> float:
    """Return what messages to the treated cost until the instants at which returns are read."""
    treated = {(one.journey, one.person) for one in group.treated}
    cost = 0.0
    for name in journeys:
        record = group.of.journeys[name].record
        cost += find_cost(
            keep_people(record, [one for one in record.members if (name, one.person) in treated])
        )
    return cost


def rate_saved(group: Group) -> Value:
    """Return how much smaller the share of the lost is than in the holdout, right at any look."""
    if isinstance(group.holdout, Unknown):
        return Value(group.holdout)
    lifts: dict[str, Lift | Unknown] = {}
    held: dict[str, float] = {}
    treated, holdout = (_by_journey(arm, group.of) for arm in (group.treated, group.holdout))
    for name, people in treated.items():
        arms = [
            ArmOutcome.of_count(len(of), sum(map(is_kept, of))) for of in (people, holdout[name])
        ]
        lifts[name] = _estimate_saved(arms, group, name)
        held[name] = 1 - arms[1].mean if arms[1].assigned else 0.0
    sizes = {name: len(people) for name, people in treated.items()}
    added = _add_up(group, lifts, sizes)
    if isinstance(added, Unknown):
        return Value(added)
    share, total = 1 / added.people, added.total
    lost = sum(held[name] * sizes[name] for name in added.journeys) * share
    return Value(
        total.value * share,
        base=added.people,
        low=None if total.low is None else total.low * share,
        high=None if total.high is None else total.high * share,
        beside=lost,
        note=added.note,
    )


def is_kept(one: Subject) -> bool:
    """Return whether somebody bought before they counted as lost."""
    return one.first_bought_at is not None and one.first_bought_at <= one.entered_at + LOST


def _estimate_saved(arms: Sequence[ArmOutcome], group: Group, name: str) -> Lift | Unknown:
    if name in group.of.journeys and group.of.journeys[name].of_subscriptions:
        return OF_STAYS
    if not all(arm.assigned for arm in arms):
        return TOO_SOON
    if not any(arm.values for arm in arms):
        return Unknown(f"nobody bought within {LOST_DAYS} days in either arm")
    return estimate_lift(*arms, metric=LOST_SHARE, watch=OpenEnded(), confidence=group.confidence)


def _by_journey(people: Sequence[Subject], of: MeasuredPeople) -> Mapping[str, list[Subject]]:
    """Return those who were followed for long enough, by journey."""
    found: defaultdict[str, list[Subject]] = defaultdict(list)
    for one in people:
        whole = of.journeys.get(one.journey)
        kept = found[one.journey]
        if whole is not None and one.entered_at + LOST <= whole.until:
            kept.append(one)
    return found


def _add_up(
    group: Group, lifts: Mapping[str, Lift | Unknown], sizes: Mapping[str, int] | None = None
) -> AddedUp | Unknown:
    """Return what the journeys of a group made happen together, or why there is nothing to sum."""
    if isinstance(group.holdout, Unknown):
        return group.holdout
    if sizes is None:
        sizes = _count_treated(group)
    known: dict[str, Lift] = {}
    missing: dict[str, str] = {}
    for name in sizes:
        lift = lifts.get(name, NOBODY_TREATED)
        if isinstance(lift, Unknown):
            missing[name] = lift.reason
        else:
            known[name] = lift
    if not known:
        return _say_none(missing)
    return AddedUp(
        add_up([(lift, sizes[name]) for name, lift in known.items()]),
        sum(sizes[name] for name in known),
        list(known),
        _say_missing(missing),
    )


def _count_treated(group: Group) -> Mapping[str, int]:
    """Return how many of each journey were compared: at the reading date, those in it by then."""
    found: defaultdict[str, int] = defaultdict(int)
    entered: dict[str, set[str]] = {
        name: {one.person for one in whole.record.members}
        for name, whole in group.of.journeys.items()
    }
    for one in group.treated:
        found[one.journey] += one.person in entered.get(one.journey, ())
    return found


def _say_none(missing: Mapping[str, str]) -> Unknown:
    reasons = set(missing.values())
    if len(reasons) > 1:
        return Unknown("; ".join(f"{name}: {reason}" for name, reason in sorted(missing.items())))
    return Unknown(reasons.pop()) if reasons else NOBODY_TREATED


def _say_missing(missing: Mapping[str, str]) -> str:
    if not missing:
        return ""
    told = "; ".join(f"{name}: {reason}" for name, reason in sorted(missing.items()))
    return f"{counted(len(missing), 'journey')} cannot be compared and is left out ({told})"
