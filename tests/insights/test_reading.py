"""What may be said of a journey, when, and what it adds up to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rekindle.experiments import (
    ArmOutcome,
    Lift,
    estimate_lift,
    holdout_for_lift,
    people_for_lift,
    provable_lift,
    relate,
)
from rekindle.insights import (
    JourneyRecord,
    JourneyReport,
    Membership,
    SentMessage,
    build_report,
    report_tables,
)
from rekindle.insights.lifting import Range, find_earnings, find_reading
from rekindle.journeys import Goal, Journey
from rekindle.vocabulary import Arm, IntervalKind, SignalKind, Unknown

UTC_ZONE = ZoneInfo("UTC")
START = datetime(2024, 3, 1, tzinfo=UTC)
JOURNEY = Journey("won", "tier = 'lapsed'", Goal(SignalKind.ORDER, timedelta(days=30)), ())


def days(count: float) -> datetime:
    return START + timedelta(days=count)


def day(count: int) -> date:
    return days(count).date()


def member(person: str, arm: Arm, entered_at: datetime = START) -> Membership:
    return Membership(person, arm, 0, entered_at, None, entered_at, None)


def record(until: float, *, members: list[Membership] | None = None, **more: Any) -> JourneyRecord:
    if members is None:
        members = [member(f"t{n}", Arm.TREATMENT) for n in range(80)]
        members += [member(f"h{n}", Arm.HOLDOUT) for n in range(80)]
    usual = JourneyRecord(
        JOURNEY,
        started_at=START,
        until=days(until),
        holdout_share=0.5,
        members=members,
        touches={},
        reasons={},
        sends=[SentMessage("t0", 0, START, 7_500_000)],
        is_replay=False,
    )
    return replace(usual, **more)


@pytest.fixture
def report_on(open_shop: Any, order_rows: Any) -> Any:
    def build(record: JourneyRecord, *, bought: tuple[int, int] = (30, 10)) -> JourneyReport:
        orders = [(f"t{n}", "2024-03-05", 20.0 + n) for n in range(bought[0])]
        orders += [(f"h{n}", "2024-03-05", 20.0 + n) for n in range(bought[1])]
        engine = open_shop(orders=order_rows(orders))
        return build_report(record, engine.facts(), engine)

    return build


@pytest.mark.parametrize(
    ("until", "more", "interval"),
    [
        (10, {}, IntervalKind.OPEN_ENDED),
        (31, {}, IntervalKind.READING_DATE),
        (10, {"reads_on": day(39)}, IntervalKind.READING_DATE),
        (10, {"is_replay": True}, IntervalKind.FIXED),
        (10, {"is_replay": True, "reads_on": day(40)}, IntervalKind.FIXED),
        (10, {"is_replay": True, "reads_on": day(8)}, IntervalKind.READING_DATE),
    ],
)
def test_how_often_figures_may_be_read(
    until: float, more: dict[str, Any], interval: IntervalKind
) -> None:
    assert find_reading(record(until, **more), UTC_ZONE).interval is interval


def test_before_a_quarter_of_the_time_nothing_is_said(report_on: Any) -> None:
    report = report_on(record(9, reads_on=day(39)))
    assert isinstance(report.lift, Unknown)
    assert "too early: 22.5 % of the period is over" in report.lift.reason
    assert not report.reading.costs_a_look
    told = dict(row for table in report_tables(report) for row in table.rows if len(row) == 2)
    assert "too early, nothing is said yet" in told["reading date"]


@pytest.mark.long
def test_looks_widen_the_interval(report_on: Any) -> None:
    plain = report_on(record(20, reads_on=day(39)))
    looked = report_on(record(20, reads_on=day(39), looks=[days(12), days(19)]))
    assert looked.lift.low < plain.lift.low < plain.lift.high < looked.lift.high
    assert looked.reading.to_json()["looks"] == 2
    assert looked.reading.costs_a_look


def test_looks_at_what_was_known_already_are_one(report_on: Any) -> None:
    old = record(50, reads_on=day(39), known_until=days(20), looks=[days(12), days(12), days(20)])
    reading = report_on(old).reading
    assert reading.looks == pytest.approx([12 / 40], abs=0.01)
    assert reading.watch.elapsed == pytest.approx(0.5, abs=0.02)
    whole = report_on(record(50, reads_on=day(39)))
    assert whole.reading.watch.elapsed == 1


def test_figures_of_old_facts_are_no_result(report_on: Any) -> None:
    old = report_on(record(50, known_until=days(20)))
    assert old.reading.interval is IntervalKind.OPEN_ENDED
    assert old.still_open_windows == 160
    assert any("No order is known after 2024-03-21" in note for note in old.notes)


@pytest.mark.long
def test_one_look_at_the_end_is_the_plain_interval(report_on: Any) -> None:
    once, replayed = report_on(record(31)), report_on(record(31, is_replay=True))
    assert once.lift.low == pytest.approx(replayed.lift.low)
    assert once.lift.high == pytest.approx(replayed.lift.high)


@pytest.mark.long
def test_a_difference_stands_still_after_its_reading_date(report_on: Any) -> None:
    late = [member(f"late{n}", Arm.TREATMENT, days(20)) for n in range(9)]
    members = [*record(1).members, *late]
    then = report_on(record(15, reads_on=day(14)))
    later = report_on(record(90, members=members, reads_on=day(14)))
    assert later.lift == then.lift
    assert later.arms[Arm.TREATMENT].assigned == 89


def test_people_who_come_back_more_often_are_shown(report_on: Any) -> None:
    back = report_on(record(10), bought=(60, 20)).coming_back
    assert back.is_shown
    assert back.low > 1
    # When most of an arm is back, fewer are left to come: more than three times as often.
    assert back.ratio > 3


def test_arms_not_as_drawn_stop_the_report(report_on: Any) -> None:
    report = report_on(record(31, holdout_share=0.2))
    assert isinstance(report.lift, Unknown)
    assert "50 % are in the holdout where 20 % were drawn" in report.lift.reason
    assert isinstance(report.coming_back, Unknown)
    assert report.to_json()["holdout_share"] == {"planned": 0.2, "actual": 0.5}


def test_what_a_difference_adds_up_to(report_on: Any) -> None:
    report = report_on(record(31))
    earned = report.earnings
    assert earned.total.value == pytest.approx(report.lift.difference * 80)
    assert earned.total.low == pytest.approx(report.lift.low * 80)
    assert earned.on_spend.value == pytest.approx(earned.total.value / 7.5)
    returns = report.return_rate_lift
    assert earned.per_return.value == pytest.approx(7.5 / (returns.difference * 80))
    assert earned.per_return.low < earned.per_return.value < earned.per_return.high


def test_a_cost_of_nothing_has_no_return(report_on: Any) -> None:
    earned = report_on(record(31, sends=())).earnings
    assert isinstance(earned.on_spend, Unknown)


def test_a_relative_end_is_held_against_the_mean_it_implies() -> None:
    arms = ArmOutcome(9_000, (50.0, 70.0) * 90), ArmOutcome(1_000, (50.0, 70.0) * 5)
    lift = estimate_lift(*arms)
    assert isinstance(lift, Lift)
    found = relate(arms[0].sums, arms[1].sums, lift)
    assert not isinstance(found, Unknown)
    assert found.value == pytest.approx(1.0)
    assert found.low is not None
    assert found.high is not None
    # A small difference means a holdout that bought more than was seen, a large one less.
    assert found.low < lift.low / 0.6
    assert found.high > lift.high / 0.6


def test_a_loss_has_no_cost_of_one_more_return() -> None:
    arms = ArmOutcome(500, (5.0,) * 20), ArmOutcome(500, (5.0,) * 60)
    lift = estimate_lift(*arms)
    found = find_earnings(lift, lift, arms, cost=10.0, days=30)
    assert isinstance(found.total, Range)
    assert found.total.value < 0
    assert isinstance(found.per_return, Unknown)


def test_what_a_report_could_prove_is_made_by_more_buyers_than_the_holdout_has() -> None:
    arms = ArmOutcome(900, (30.0, 10.0) * 60), ArmOutcome(100, (30.0, 10.0) * 4)
    found = find_earnings(estimate_lift(*arms), Unknown(""), arms, cost=0.0, days=30)
    # Half of the buyers spent 30 and half 10, in both arms; in the holdout 8 % bought.
    mean, square = 0.08 * 20, 0.08 * 500
    told = provable_lift(
        people=1_000,
        holdout_share=0.1,
        standard_deviation=(square - mean**2) ** 0.5,
        mean=mean,
    )
    assert found.power.provable == pytest.approx(told, rel=1e-3)


def test_power_goes_both_ways() -> None:
    provable = provable_lift(people=1_000, holdout_share=0.2, standard_deviation=30)
    assert isinstance(provable, float)
    needed = people_for_lift(lift=provable, holdout_share=0.2, standard_deviation=30)
    assert needed == pytest.approx(1_000, abs=1)
    share = holdout_for_lift(people=1_000, lift=provable, standard_deviation=30)
    assert share == pytest.approx(0.2, abs=1e-6)
    assert isinstance(
        holdout_for_lift(people=1_000, lift=provable / 9, standard_deviation=30), Unknown
    )
