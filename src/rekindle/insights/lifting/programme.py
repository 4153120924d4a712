"""What all marketing journeys earned together, against people who got nothing from any.

People are compared over one window from the day they were drawn, once it is over: a
programme has no end, and of somebody drawn yesterday there is nothing to read yet. Those
drawn at different shares are compared apart, since the one arm has older people than the
other where they are thrown together.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rekindle.experiments import (
    MISMATCH,
    ArmOutcome,
    Lift,
    OpenEnded,
    estimate_lift,
    find_mismatch,
)
from rekindle.facts import Engine, Facts
from rekindle.insights.lifting.earnings import Range
from rekindle.insights.outcomes import find_returned, load_outcomes
from rekindle.insights.record import JourneyRecord, Membership
from rekindle.insights.wire import VERSION, Json, write_figure, write_told, write_unknown
from rekindle.journeys import Goal, HoldoutPeriod, Journey, find_ended
from rekindle.vocabulary import Arm, SignalKind, Unknown
from rekindle.wording import percent

NET_REVENUE = "net revenue per person drawn"
RETURN_RATE = "share of the people drawn who bought"


@dataclass(frozen=True, slots=True)
class DrawnPerson:
    """Somebody drawn for all marketing journeys, at which share, when."""

    person: str
    arm: Arm
    at: datetime
    share: float


@dataclass(frozen=True, slots=True)
class ProgrammePart:
    """The people drawn at one share: all of them, those whose window is over, and what those did.

    ``left_out`` had no holdout for a part of their window, because it was ended meanwhile.
    ``revenue`` is net, in major units; ``total`` is what the difference adds up to over
    everybody treated whose window is over.
    """

    share: float
    drawn: Mapping[Arm, int]
    over: Mapping[Arm, int]
    left_out: int
    bought: Mapping[Arm, int]
    revenue: Mapping[Arm, float]
    lift: Lift | Unknown
    return_lift: Lift | Unknown
    total: Range | Unknown

    def to_json(self) -> Json:
        """Return the part as JSON values; amounts in major units, rates in 0-1."""
        return {
            "share": self.share,
            "drawn": {arm.value: self.drawn[arm] for arm in Arm},
            "window_over": {arm.value: self.over[arm] for arm in Arm},
            "left_out": self.left_out,
            "bought": {arm.value: self.bought[arm] for arm in Arm},
            "net_revenue": {arm.value: write_figure(self.revenue[arm], 2) for arm in Arm},
            "lift": write_lift(self.lift),
            "return_rate_lift": write_lift(self.return_lift),
            "total": write_told(self.total),
        }


@dataclass(frozen=True, slots=True)
class Programme:
    """What is known of all marketing journeys together at ``until``, newest share first."""

    until: datetime
    within: timedelta
    currency: str
    zone: str
    shares: Sequence[HoldoutPeriod]
    parts: Sequence[ProgrammePart]

    @property
    def told(self) -> str:
        """Return in a sentence whether there is such a holdout now."""
        if not self.shares:
            return (
                "There is no holdout of all marketing journeys; `share` in [holdout] of "
                "rekindle.toml begins one."
            )
        newest = self.shares[-1]
        if newest.share == 0:
            return "The holdout of all marketing journeys was ended; what it showed stays."
        return (
            f"{percent(newest.share)} of the people who enter a marketing journey for the first "
            "time get nothing from any."
        )

    def to_json(self) -> Json:
        """Return what is known as JSON values."""
        return {
            "version": VERSION,
            "to": self.until.isoformat(),
            "within_days": self.within / timedelta(days=1),
            "shares": [{"share": one.share, "since": one.since.isoformat()} for one in self.shares],
            "parts": [part.to_json() for part in self.parts],
            "notes": [self.told],
        }


def build_programme(
    shares: Sequence[HoldoutPeriod],
    drawn: Sequence[DrawnPerson],
    facts: Facts,
    engine: Engine,
    *,
    within: timedelta,
    until: datetime,
) -> Programme:
    """Return what came of the people drawn at each share, by one rule for both arms."""
    by_share: defaultdict[float, list[DrawnPerson]] = defaultdict(list)
    for one in drawn:
        by_share[one.share].append(one)
    ended = find_ended(shares, until)
    newest = {one.share: one.since for one in shares}
    order = sorted(by_share, key=lambda share: newest.get(share, until), reverse=True)
    parts = [
        compare_drawn(
            share, by_share[share], (facts, engine), within=within, until=until, ended=ended
        )
        for share in order
    ]
    return Programme(until, within, facts.currency, facts.zone, shares, parts)


def find_net_revenue(
    drawn: Sequence[DrawnPerson],
    reading: tuple[Facts, Engine],
    *,
    within: timedelta,
    until: datetime,
) -> Mapping[str, float]:
    """Return what people brought within their window, in major units; nobody who bought nothing."""
    facts, engine = reading
    return load_outcomes(engine, facts, _write_down(0.0, drawn, within, until)).revenue


def write_lift(lift: Lift | Unknown) -> Json:
    """Return a difference with its ends, or why there is none."""
    if isinstance(lift, Unknown):
        return write_unknown(lift)
    figures = {"difference": lift.difference, "low": lift.low, "high": lift.high}
    return {name: round(value, 4) for name, value in figures.items()} | {
        "p_value": round(lift.p_value, 4),
        "interval": lift.interval.value,
        "method": lift.method,
        "warnings": list(lift.warnings),
    }


def compare_drawn(
    share: float,
    drawn: Sequence[DrawnPerson],
    reading: tuple[Facts, Engine],
    *,
    within: timedelta,
    until: datetime,
    ended: Sequence[tuple[datetime, datetime]] = (),
    confidence: float = 0.95,
) -> ProgrammePart:
    """Return what came of people of whom ``share`` were held out, once their window is over."""
    facts, engine = reading
    over = [one for one in drawn if one.at + within <= until]
    kept = [one for one in over if not is_cut(one.at, one.at + within, ended)]
    record = _write_down(share, kept, within, until)
    outcomes = load_outcomes(engine, facts, record)
    back = find_returned(record, outcomes)
    arm_of = {one.person: one.arm for one in kept}
    people, bought = Counter(arm_of.values()), Counter(arm_of[person] for person in back)
    arms = {
        arm: ArmOutcome(
            people[arm], tuple(net for who, net in outcomes.revenue.items() if arm_of[who] is arm)
        )
        for arm in Arm
    }
    lift, returns = _estimate(share, arms, bought, confidence)
    return ProgrammePart(
        share=share,
        drawn={arm: sum(one.arm is arm for one in drawn) for arm in Arm},
        over={arm: people[arm] for arm in Arm},
        left_out=len(over) - len(kept),
        bought={arm: bought[arm] for arm in Arm},
        revenue={arm: arms[arm].total for arm in Arm},
        lift=lift,
        return_lift=returns,
        total=_add_up(lift, people[Arm.TREATMENT]),
    )


def _estimate(
    share: float, arms: Mapping[Arm, ArmOutcome], bought: Mapping[Arm, int], confidence: float
) -> tuple[Lift | Unknown, Lift | Unknown]:
    """Return the differences of revenue and of buyers, right whenever they are looked at."""
    treated, held = arms[Arm.TREATMENT], arms[Arm.HOLDOUT]
    if not treated.assigned or not held.assigned:
        short = Unknown("nobody whose window is over is in one of the arms yet")
        return short, short
    sizes = {arm.value: arms[arm].assigned for arm in Arm}
    drawn = {Arm.HOLDOUT.value: share, Arm.TREATMENT.value: 1 - share}
    chance = find_mismatch(sizes, drawn)
    if not isinstance(chance, Unknown) and chance < MISMATCH:
        odd = Unknown(
            f"{percent(held.assigned / (held.assigned + treated.assigned))} are in the holdout "
            f"where {percent(share)} were drawn, which is no chance (p = {chance:.2g})"
        )
        return odd, odd
    rates = [
        ArmOutcome.of_count(arms[arm].assigned, bought[arm]) for arm in (Arm.TREATMENT, Arm.HOLDOUT)
    ]
    return (
        estimate_lift(treated, held, metric=NET_REVENUE, confidence=confidence, watch=OpenEnded()),
        estimate_lift(*rates, metric=RETURN_RATE, confidence=confidence, watch=OpenEnded()),
    )


def _add_up(lift: Lift | Unknown, people: int) -> Range | Unknown:
    if isinstance(lift, Unknown):
        return lift
    return Range(lift.difference * people, lift.low * people, lift.high * people)


def is_cut(since: datetime, until: datetime, ended: Sequence[tuple[datetime, datetime]]) -> bool:
    """Return whether a window touches a time in which there was no holdout."""
    return any(begins < until and ends > since for begins, ends in ended)


def _write_down(
    share: float, drawn: Sequence[DrawnPerson], within: timedelta, until: datetime
) -> JourneyRecord:
    """Return the people drawn as a journey they were all in once, to be measured like one."""
    journey = Journey("*", "true", Goal(SignalKind.ORDER.value, within), ())
    return JourneyRecord(
        journey=journey,
        started_at=min((one.at for one in drawn), default=until),
        until=until,
        holdout_share=share,
        members=[Membership(one.person, one.arm, 0, one.at, None, None, None) for one in drawn],
        touches={},
        reasons={},
        sends=(),
        is_replay=False,
    )
