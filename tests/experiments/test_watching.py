"""Figures that are looked at early keep their level, over all looks together."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rekindle.experiments import (
    ArmOutcome,
    ComingBack,
    Lift,
    OpenEnded,
    ReadingDate,
    Return,
    estimate_lift,
    find_confidence,
    follow_returns,
    watching,
)
from rekindle.experiments.watching import find_reading_bound, find_sequence_bound
from rekindle.vocabulary import IntervalKind, Unknown

TREATED = ArmOutcome(9_000, tuple(float(value) for value in range(1, 181)))
HELD = ArmOutcome(1_000, tuple(float(value) for value in range(1, 15)))


def test_bounds_are_the_published_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    # Five looks at fifths of the period, two-sided 5 %, O'Brien-Fleming spending: Jennison &
    # Turnbull, Group Sequential Methods (1999); R package ldbounds 2.0.2, bounds(1:5/5).
    monkeypatch.setattr(watching, "TOO_EARLY", 0.1)
    fifths = [part / 5 for part in range(1, 6)]
    found = [find_reading_bound(fifths[:count]) for count in range(1, 6)]
    assert found == pytest.approx([4.8769, 3.3569, 2.6803, 2.2898, 2.0310], abs=5e-4)


def test_one_look_at_the_end_costs_nothing() -> None:
    assert find_reading_bound([1.0]) == pytest.approx(1.959964, abs=1e-5)


def test_a_second_look_at_the_same_time_costs_nothing() -> None:
    assert find_reading_bound([0.5, 0.5, 0.50001, 1.0]) == find_reading_bound([0.5, 1.0])


def test_looks_before_a_quarter_of_the_period_count_for_nothing() -> None:
    assert find_reading_bound([0.1, 0.2, 1.0]) == find_reading_bound([1.0])
    level = find_confidence(ReadingDate(0.2), buyers=9, confidence=0.95)
    assert isinstance(level, Unknown)
    assert "too early: 20 % of the period is over" in level.reason


@pytest.mark.long
def test_28_daily_looks_raise_a_false_alarm_in_one_of_twenty() -> None:
    days = [day / 28 for day in range(1, 29)]
    bounds = [
        find_reading_bound(days[: day + 1]) if days[day] >= 0.25 else np.inf for day in range(28)
    ]
    steps = np.random.default_rng(28).standard_normal((4_000, 28)) / 28**0.5
    away = np.abs(np.cumsum(steps, axis=1)) / np.sqrt(days)
    alarms = (away > bounds).any(axis=1).mean()
    assert alarms == pytest.approx(0.05, abs=3 * (0.05 * 0.95 / 4_000) ** 0.5)
    assert (away > 1.96).any(axis=1).mean() > 0.2


def test_an_open_end_is_narrowest_around_the_planned_buyers() -> None:
    bounds = [find_sequence_bound(buyers, 200) for buyers in (10, 200, 20_000)]
    assert bounds[1] < min(bounds[0], bounds[2])
    assert bounds[1] == pytest.approx(3.035, abs=0.001)


@pytest.mark.parametrize(
    ("watch", "interval"),
    [(ReadingDate(0.5), IntervalKind.READING_DATE), (OpenEnded(200), IntervalKind.OPEN_ENDED)],
)
def test_a_watched_interval_is_wider_and_says_so(
    watch: ReadingDate | OpenEnded, interval: IntervalKind
) -> None:
    fixed, watched = estimate_lift(TREATED, HELD), estimate_lift(TREATED, HELD, watch=watch)
    assert isinstance(fixed, Lift)
    assert isinstance(watched, Lift)
    assert watched.low < fixed.low < fixed.high < watched.high
    assert (fixed.interval, watched.interval) == (IntervalKind.FIXED, interval)


def test_a_level_finer_than_the_draws_comes_from_sums() -> None:
    lift = estimate_lift(TREATED, HELD, watch=ReadingDate(0.26))
    assert isinstance(lift, Lift)
    assert lift.method == "score interval from sums"


def follow(treated: int, held: int, share: float) -> ComingBack:
    arms = np.random.default_rng(5).permutation([True] * treated + [False] * held)
    found = follow_returns([Return(bool(one), share) for one in arms])
    assert isinstance(found, ComingBack)
    return found


def test_returns_of_one_arm_alone_bound_no_ratio() -> None:
    one, many, none = follow(1, 0, 0.5), follow(40, 0, 0.5), follow(0, 40, 0.5)
    assert (one.ratio, one.high, one.is_shown) == (math.inf, math.inf, False)
    assert (many.ratio, many.high, many.is_shown) == (math.inf, math.inf, True)
    assert many.low > 1
    assert (none.ratio, none.low, none.is_shown) == (0, 0, True)
    assert none.high < 1


def test_as_many_returns_as_people_show_nothing() -> None:
    found = follow(180, 20, 0.9)
    assert found.ratio == pytest.approx(1, abs=1e-6)
    assert found.low < 1 < found.high
    assert not found.is_shown


def test_twice_as_many_returns_are_shown() -> None:
    found = follow(200, 100, 0.5)
    assert found.ratio == pytest.approx(2)
    assert 1 < found.low < 2 < found.high
    assert found.is_shown
    assert found.stake > 20


def test_what_was_shown_once_stays_shown() -> None:
    burst = [Return(True, 0.5)] * 12
    later = burst + [Return(False, 0.5)] * 12
    assert [follow_returns(one).is_shown for one in (burst, later)] == [True, True]  # type: ignore[union-attr]


@pytest.mark.long
def test_looking_after_every_return_gives_a_false_alarm_in_less_than_one_of_twenty() -> None:
    rng = np.random.default_rng(20)
    alarms = 0
    for _ in range(300):
        arms = rng.random(150) < 0.8
        found = follow_returns([Return(bool(one), 0.8) for one in arms])
        assert isinstance(found, ComingBack)
        alarms += found.is_shown
    assert alarms / 300 <= 0.05


def test_nobody_back_yet_is_said() -> None:
    assert follow_returns([]) == Unknown("nobody has come back yet")
    assert follow_returns([Return(True, 1.0)]) == Unknown("nobody has come back yet")


@pytest.mark.parametrize("buyers", [1, 2, 3, 40])
def test_open_ended_interval_of_a_few_buyers_is_refused_and_never_an_error(buyers: int) -> None:
    treated, held = ArmOutcome(90, tuple(range(1, buyers + 1))), ArmOutcome(90)
    found = estimate_lift(treated, held, metric="revenue", watch=OpenEnded())
    assert isinstance(found, Unknown) == (buyers < 3)
    if isinstance(found, Unknown):
        assert f"only {buyers} bought" in found.reason
