"""What a journey did and earned: treatment beside holdout, and what that shows.

The headline is net revenue per assigned customer. A difference is stated with its
interval and in a sentence, so that nobody has to guess whether anything was shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rekindle.experiments import ComingBack, Lift
from rekindle.facts import Engine, Facts
from rekindle.insights.lifting import (
    ONCE,
    Earnings,
    Readout,
    find_earnings,
    find_reading,
)
from rekindle.insights.lifting.attribution import NO_TOUCHES, Attribution, attribute
from rekindle.insights.lifting.estimating import (
    CONFIDENCE,
    NET_REVENUE,
    RETURN_RATE,
    cut_at_reading,
    estimate_lifts,
)
from rekindle.insights.lifting.parting import Partings
from rekindle.insights.lifting.reaching import GOAL_RATE, GoalReached, find_reached
from rekindle.insights.lifting.stopping import Overruling, StoppingReport
from rekindle.insights.lifting.subgroups import Subgroups, estimate_subgroups
from rekindle.insights.lifting.variants import VariantTest, build_tests
from rekindle.insights.outcomes import Outcomes, Returned, find_returned, load_outcomes
from rekindle.insights.record import JourneyRecord, Membership, SentMessage
from rekindle.insights.wire import VERSION, Figure, Json, write_figure, write_told, write_unknown
from rekindle.journeys import Journey
from rekindle.vocabulary import TOUCHED, Answer, Arm, Money, Reason, SignalKind, Unknown
from rekindle.wording import amount, counted, day


@dataclass(frozen=True, slots=True)
class ArmResult:
    """What one arm's people did. Each is counted once, however often they entered.

    ``exposed`` had a message, or its ghost in the holdout; ``revenue`` is net, inside
    the goal windows, in major units.
    """

    assigned: int
    exposed: int
    returned: int
    revenue: float

    @property
    def revenue_per_assigned(self) -> Figure:
        """Return net revenue per assigned customer, in major units."""
        return self.revenue / self.assigned if self.assigned else _NOBODY

    @property
    def return_rate(self) -> Figure:
        """Return the share of assigned customers who returned, in 0-1."""
        return self.returned / self.assigned if self.assigned else _NOBODY


_NOBODY = Unknown("nobody was assigned to this arm")
_NO_ORDERS = Unknown("it credits orders, and there are none in the facts")
_NOBODY_YET = Unknown("nobody has come back yet")


@dataclass(frozen=True, slots=True)
class JourneyReport:
    """What came of a journey from ``started_at`` until ``until``.

    ``sent_after_return`` counts messages that left although the book knew of the
    purchase: it must be 0. ``sent_before_known`` counts those that left after a purchase
    that had not been imported yet. ``still_open_windows`` counts enrolments whose goal
    window, ``within`` long, ends after ``until``. ``goal`` is who reached it where it is no
    purchase, which is what returns are; None where it is one.
    """

    journey: str
    started_at: datetime
    until: datetime
    within: timedelta
    is_replay: bool
    currency: str
    holdout_share: float
    arms: Mapping[Arm, ArmResult]
    touches: Mapping[Answer, int]
    reasons: Mapping[Reason, int]
    returned_before_first_touch: int
    sent_after_return: int
    sent_before_known: int
    still_open_windows: int
    cost: Money
    lift: Lift | Unknown
    return_rate_lift: Lift | Unknown
    notes: tuple[str, ...]
    reading: Readout = ONCE
    coming_back: ComingBack | Unknown = _NOBODY_YET
    earnings: Earnings | None = None
    nobody: str = ""
    zone: str = "UTC"
    tests: tuple[VariantTest, ...] = ()
    attribution: Attribution | Unknown = NO_TOUCHES
    stopping: StoppingReport | None = None
    held_back: StoppingReport | None = None
    overruling: Overruling | None = None
    partings: Partings | None = None
    subgroups: Subgroups | None = None
    goal: GoalReached | Unknown | None = None

    @property
    def finding(self) -> str:
        """Return in plain words whether the difference shows anything, or why nothing left."""
        if self.nobody:
            return self.nobody
        told = _tell(self.lift, self.currency, is_replay=self.is_replay)
        if not self.is_replay:
            return told
        noise = _TRULY_NOTHING if _may_be_zero(self.lift) else _FALSE_ALARM
        return f"{told} {noise}"

    @property
    def told_of_stopping(self) -> tuple[str, ...]:
        """Return what leaving messages out saved and gave up, where any were left out."""
        told = [] if self.stopping is None else self.stopping.tell_all()
        told = [*told, *([] if self.held_back is None else self.held_back.tell_all())]
        return (*told, *([] if self.overruling is None else self.overruling.told))

    def to_json(self) -> Json:
        """Return the report as JSON values; amounts in major units, rates in 0-1.

        What could not be computed carries ``unknown`` with the reason.
        """
        arms = self.arms
        return {
            "version": VERSION,
            "journey": self.journey,
            "from": self.started_at.isoformat(),
            "to": self.until.isoformat(),
            "assigned": {arm.value: of.assigned for arm, of in arms.items()},
            "exposed": {arm.value: of.exposed for arm, of in arms.items()},
            "touches": {answer.value: count for answer, count in self.touches.items()},
            "reasons": {reason.value: count for reason, count in self.reasons.items()},
            "returned": {arm.value: of.returned for arm, of in arms.items()},
            "returned_before_first_touch": self.returned_before_first_touch,
            "sent_after_return": self.sent_after_return,
            "sent_before_known": self.sent_before_known,
            "cost": round(float(self.cost.amount), 4),
            "lift": _write_lift(self.lift, NET_REVENUE),
            "net_revenue_per_assigned": {
                arm.value: write_figure(of.revenue_per_assigned) for arm, of in arms.items()
            },
            "return_rate_lift": _write_lift(self.return_rate_lift, RETURN_RATE),
            "still_open_windows": self.still_open_windows,
            "tests": [test.to_json() for test in self.tests],
            "notes": [self.finding, *self.notes, *self.told_of_stopping],
            "holdout_share": self._write_shares(),
            "reading": self.reading.to_json(),
            "coming_back": _write_coming_back(self.coming_back),
            "earnings": None if self.earnings is None else self.earnings.to_json(),
            "attribution": write_told(self.attribution),
            "stopping": None if self.stopping is None else self.stopping.to_json(),
            "held_back": None if self.held_back is None else self.held_back.to_json(),
            "overruling": None if self.overruling is None else self.overruling.to_json(),
            "partings": None if self.partings is None else self.partings.to_json(),
            "subgroups": None if self.subgroups is None else self.subgroups.to_json(),
            "goal": _write_goal(self.goal),
        }

    @property
    def actual_share(self) -> Figure:
        """Return the share of people who are in the holdout, in 0-1."""
        held = self.arms[Arm.HOLDOUT].assigned
        people = held + self.arms[Arm.TREATMENT].assigned
        return held / people if people else _NOBODY

    def _write_shares(self) -> Json:
        actual = self.actual_share
        return {"planned": round(self.holdout_share, 4), "actual": write_figure(actual)}


def build_report(
    record: JourneyRecord, facts: Facts, engine: Engine, *, by: str = ""
) -> JourneyReport:
    """Return what came of a journey, counted from the facts by one rule for both arms.

    Everyone assigned counts in the arm they were drawn into, whether a message reached
    them or not (intention to treat). With ``by``, a covariate, it says so of each subgroup as well.
    """
    goal = record.journey.goal
    outcomes = load_outcomes(engine, facts, record)
    returned = find_returned(record, outcomes)
    arms = {arm: _sum_arm(arm, record, outcomes, returned) for arm in Arm}
    after_return, before_known = _count_late_sends(record, outcomes)
    reading = find_reading(record, ZoneInfo(facts.zone))
    at_reading = cut_at_reading(record, reading)
    read = outcomes if at_reading is record else load_outcomes(engine, facts, at_reading)
    lifts = estimate_lifts(at_reading, read, reading)
    spent = sum(one.cost_micros for one in at_reading.pick_measured(record.sends))
    earnings = find_earnings(
        lifts.revenue,
        lifts.returns,
        lifts.arms,
        cost=float(Money.from_micros(spent, facts.currency).amount),
        days=max((at_reading.until - record.started_at).total_seconds() / 86_400, 1.0),
    )
    return JourneyReport(
        journey=record.journey.name,
        started_at=record.started_at,
        until=record.until,
        within=goal.within,
        is_replay=record.is_replay,
        currency=facts.currency,
        holdout_share=record.holdout_share,
        arms=arms,
        touches={answer: record.touches.get(answer, 0) for answer in TOUCHED},
        reasons=_sort_by_count(record.reasons),
        returned_before_first_touch=len(_find_untouched(returned)),
        sent_after_return=after_return,
        sent_before_known=before_known,
        still_open_windows=_count_open(record),
        cost=Money.from_micros(record.cost_micros, facts.currency),
        lift=lifts.revenue,
        return_rate_lift=lifts.returns,
        notes=(
            *record.notes,
            *_explain(record, reading, before_known, ZoneInfo(facts.zone)),
            *([_BY_MRR] if outcomes.of_subscriptions else []),
        ),
        nobody=record.nobody,
        zone=facts.zone,
        tests=build_tests(record, facts, engine),
        reading=reading,
        coming_back=lifts.coming_back,
        earnings=earnings,
        attribution=_NO_ORDERS
        if outcomes.of_subscriptions
        else attribute(at_reading, facts, engine, earnings.total),
        subgroups=estimate_subgroups(at_reading, read, reading, by=by) if by else None,
        goal=find_reached(record, at_reading, reading, (facts, engine)),
    )


def _find_untouched(returned: Returned) -> set[str]:
    """Return who came back before any message, or ghost of one, had reached them."""
    return {
        person
        for person, (one, at) in returned.items()
        if one.first_touch_at is None or at <= one.first_touch_at
    }


def _sum_arm(arm: Arm, record: JourneyRecord, outcomes: Outcomes, returned: Returned) -> ArmResult:
    own = [one for one in record.members if one.arm is arm]
    people = {one.person for one in own}
    return ArmResult(
        assigned=len(people),
        exposed=len({one.person for one in own if one.first_touch_at is not None}),
        returned=len(people & returned.keys()),
        revenue=sum(outcomes.revenue.get(person, 0.0) for person in sorted(people)),
    )


def _count_late_sends(record: JourneyRecord, outcomes: Outcomes) -> tuple[int, int]:
    """Return how many messages followed a purchase the book knew of, and did not know of."""
    if SignalKind.ORDER not in record.journey.exits:
        return 0, 0
    members = {(one.person, one.rotation): one for one in record.members}
    late = [
        record.is_replay or _was_known(members[sent.person, sent.rotation], sent, outcomes)
        for sent in record.sends
        if (at := outcomes.returned_at.get((sent.person, sent.rotation))) and at < sent.at
    ]
    return sum(late), len(late) - sum(late)


def _was_known(one: Membership, sent: SentMessage, outcomes: Outcomes) -> bool:
    """Return whether the book had recorded the purchase when the message left, or should have.

    A replay records every purchase as it happens. In the ledger, the enrolment ended when
    the purchase was recorded; an end without its time is held against us, and so is a pass
    that had the purchase in its facts.
    """
    seen_at = outcomes.seen_at.get((one.person, one.rotation))
    if seen_at is not None and seen_at < sent.at:
        return True
    return one.ended is Reason.ORDER and (one.ended_at is None or one.ended_at <= sent.at)


def _count_open(record: JourneyRecord) -> int:
    within = record.journey.goal.within
    return sum(one.entered_at + within > record.settled_until for one in record.assigned)


def _sort_by_count(reasons: Mapping[Reason, int]) -> Mapping[Reason, int]:
    return dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))


def tell_goal(journey: Journey) -> Iterator[str]:
    """Yield that returns are purchases, where a journey is for something else."""
    if (goal := journey.goal.on) != SignalKind.ORDER:
        yield f"The goal is {goal}; returns and revenue are of purchases, as of every journey."


def _explain(
    record: JourneyRecord, reading: Readout, before_known: int, zone: ZoneInfo
) -> list[str]:
    """Return what a reader has to know to take the figures for what they are."""
    notes = list(tell_goal(record.journey))
    if record.settled_until < record.until - timedelta(days=1):
        notes.append(
            f"No order is known after {day(record.settled_until, zone)}: "
            "who bought since then is not in these figures."
        )
    if open_count := _count_open(record):
        notes.append(
            f"The window of {open_count:,} of {counted(len(record.assigned), 'person')} is still "
            f"open: the figures will move. {reading.told}"
        )
    if before_known:
        notes.append(
            f"{counted(before_known, 'message')} left after a purchase that had not been imported "
            "yet; "
            "import orders more often to stop sooner."
        )
    return notes


_BY_MRR = (
    "Net revenue is what subscriptions brought: MRR, for the days of the window on which it was "
    "paid. Refunds are not taken off."
)
_TRULY_NOTHING = (
    "In a replay nobody was contacted, so the true lift is 0 and this is the noise a report "
    "of this size carries."
)
_FALSE_ALARM = (
    "But in a replay nobody was contacted, so the true lift is 0: this is a false alarm, as "
    "about one report in twenty gives at this confidence."
)


def _may_be_zero(lift: Lift | Unknown) -> bool:
    return isinstance(lift, Unknown) or lift.low <= 0 <= lift.high


def _tell(lift: Lift | Unknown, currency: str, *, is_replay: bool) -> str:
    if isinstance(lift, Unknown):
        return f"No lift can be stated: {lift.reason}."
    if _may_be_zero(lift):
        return "No lift is shown: the interval includes 0."
    side = "more" if lift.difference > 0 else "less"
    gain, near, far = (
        amount(value, currency)
        for value in (abs(lift.difference), *sorted((abs(lift.low), abs(lift.high))))
    )
    who = "The treatment arm brought" if is_replay else "The journey earned"
    return (
        f"{who} {gain} {side} per assigned customer than the holdout, and between {near} and "
        f"{far} with "
        f"{CONFIDENCE * 100:g} % confidence."
    )


def _write_lift(lift: Lift | Unknown, metric: str) -> Json:
    if isinstance(lift, Unknown):
        return {"metric": metric} | write_unknown(lift)
    return {
        "metric": lift.metric,
        "difference": round(lift.difference, 4),
        "low": round(lift.low, 4),
        "high": round(lift.high, 4),
        "p_value": round(lift.p_value, 4),
        "method": lift.method,
        "interval": lift.interval.value,
        "warnings": list(lift.warnings),
    }


def _write_goal(goal: GoalReached | Unknown | None) -> Json | None:
    if not isinstance(goal, GoalReached):
        return None if goal is None else write_unknown(goal)
    return {
        "event": goal.event,
        "reached": {arm.value: count for arm, count in goal.reached.items()},
        "lift": _write_lift(goal.lift, GOAL_RATE),
    }


def _write_coming_back(found: ComingBack | Unknown) -> Json:
    if isinstance(found, Unknown):
        return write_unknown(found)
    ends = {"low": found.low, "high": found.high}
    return {
        "ratio": round(found.ratio, 4) if math.isfinite(found.ratio) else None,
        **{name: round(end, 4) if math.isfinite(end) else None for name, end in ends.items()},
        "is_shown": found.is_shown,
        "stake": round(min(found.stake, 1e12), 4),
    }
