from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pytest

from rekindle.insights import (
    HISTORY_DAYS,
    Daily,
    Direction,
    JudgedCount,
    judge_day,
    judge_entries,
    watch_tables,
    write_watch,
)
from rekindle.insights.watching.judging import DAYS_NEEDED
from rekindle.vocabulary import Unknown

MONDAY = date(2026, 3, 2)
WEEKDAYS = np.array([1.3, 1.2, 1.0, 1.0, 1.1, 0.6, 0.5])
QUIET_YEARS = 2


def daily(counts: Sequence[int], last_on: date = MONDAY, **changes: object) -> Daily:
    return Daily("messages sent", last_on, counts, **changes)  # type: ignore[arg-type]


def draw_year(mean: float, beyond: float, seed: int) -> list[int]:
    """Return a quiet year and the weeks before it, with weekdays and 30 % growth."""
    draw = np.random.default_rng(seed)
    days = np.arange(365 + HISTORY_DAYS)
    means = mean * WEEKDAYS[days % 7] * (1 + 0.3 * days / 365)
    if beyond:
        means = means * draw.gamma(1 / beyond, beyond, days.size)
    return [int(one) for one in draw.poisson(means)]


def judge_year(counts: Sequence[int]) -> list[JudgedCount]:
    first = MONDAY - timedelta(days=len(counts))
    return [
        judge_day(daily(counts[at - HISTORY_DAYS : at + 1], first + timedelta(days=at)))
        for at in range(HISTORY_DAYS, len(counts))
    ]


@pytest.mark.parametrize(("mean", "beyond"), [(1, 0), (30, 0), (300, 0), (300, 0.05), (30, 0.3)])
def test_quiet_years_are_quiet(mean: float, beyond: float) -> None:
    alarms = [
        one.words
        for seed in range(QUIET_YEARS)
        for one in judge_year(draw_year(mean, beyond, seed))
        if one.is_unusual
    ]
    assert len(alarms) <= QUIET_YEARS, alarms


@pytest.mark.parametrize(
    ("mean", "beyond", "factor", "word"),
    [(30, 0, 0, "fewer"), (300, 0.05, 0, "fewer"), (300, 0, 0.5, "fewer"), (300, 0.05, 4, "more")],
)
def test_a_fault_drawn_in_is_found_on_its_day_and_is_over_the_next(
    mean: float, beyond: float, factor: float, word: str
) -> None:
    counts = draw_year(mean, beyond, seed=11)
    at = HISTORY_DAYS + 200
    counts[at] = int(counts[at] * factor)
    found = judge_year(counts)
    assert f" {word} than usual" in found[200].words
    assert not found[201].is_unusual


def test_a_sunday_is_judged_by_sundays() -> None:
    week = [100, 100, 100, 100, 100, 100, 0]
    sunday = MONDAY - timedelta(days=1)
    assert not judge_day(daily(week * 9, sunday)).is_unusual
    assert judge_day(daily([*week * 8, *week[:6], 40], sunday)).is_unusual
    assert judge_day(daily([*week * 8, 0], MONDAY)).is_unusual


def test_days_that_were_unusual_before_do_not_hide_the_next() -> None:
    counts = [100] * HISTORY_DAYS + [0]
    counts[10:13] = [0, 0, 5_000]
    assert judge_day(daily(counts)).is_unusual


def test_bounces_are_judged_by_the_messages_that_left_and_only_upwards() -> None:
    sends = [1_000, 100] * (HISTORY_DAYS // 2) + [10_000]
    bounces = [10, 1] * (HISTORY_DAYS // 2)
    assert not judge_day(daily([*bounces, 100], of=sends, direction=Direction.UP)).is_unusual
    assert judge_day(daily([*bounces, 400], of=sends, direction=Direction.UP)).is_unusual
    assert not judge_day(daily([*bounces, 0], of=sends, direction=Direction.UP)).is_unusual


def test_few_days_are_not_judged_and_say_so() -> None:
    nothing = [0] * 40
    found = judge_day(daily([*nothing, *[50] * DAYS_NEEDED]))
    assert isinstance(found.usual, Unknown)
    assert not found.is_unusual
    assert not isinstance(judge_day(daily([*nothing, *[50] * DAYS_NEEDED, 50])).usual, Unknown)
    assert not isinstance(judge_day(daily([50] * (DAYS_NEEDED + 1))).usual, Unknown)
    assert isinstance(judge_day(daily([0] * (HISTORY_DAYS + 1))).usual, Unknown)


@pytest.mark.parametrize(
    ("counts", "running_days", "word"),
    [
        ([0] * 57, 7, "has let nobody in since it began"),
        ([0] * 57, 6, ""),
        ([*[3] * 50, *[0] * 7], 90, "where 21 a week are usual"),
        ([*[3] * 50, *[0] * 6, 1], 90, ""),
        ([*[1] * 50, *[0] * 7], 90, ""),  # seven a week: chance alone could do it
        ([*[0] * 40, 500, *[0] * 16], 90, ""),  # who was to enter did so at once
        ([*[3] * 50, *[0] * 7], 3, ""),  # it was resumed three days ago
    ],
)
def test_a_live_journey_that_lets_nobody_in_is_told_of(
    counts: Sequence[int], running_days: int, word: str
) -> None:
    found = judge_entries(Daily("lapsed", MONDAY, counts), running_days=running_days)
    assert (word in found.words) if word else not found.words


def test_what_was_found_is_told_as_a_table_and_as_json() -> None:
    found = [
        judge_day(daily([100] * HISTORY_DAYS + [0])),
        judge_day(daily([5])),
        judge_entries(Daily("lapsed", MONDAY, [3] * 57), running_days=90),
    ]
    (table,) = watch_tables(found)
    assert [row[-1] for row in table.rows] == ["look", "", "as usual"]
    assert "messages sent: 0 on 2026-03-02, fewer than usual" in table.notes[0]
    told = write_watch(found, MONDAY)
    assert told["unusual"] == 1
    counts = told["counts"]
    assert isinstance(counts, list)
    assert [list(one["usual"]) for one in counts] == [
        ["expected", "low", "high"],
        ["unknown"],
        ["expected", "low", "high"],
    ]
