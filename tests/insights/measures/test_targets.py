"""Targets stand against a baseline that nothing replaces unasked; what is unknown says why."""

from __future__ import annotations

import json
from datetime import date
from typing import get_args

import pytest

from rekindle.config import parse_config
from rekindle.config.targets import SHARES, MeasureName
from rekindle.errors import ConfigError
from rekindle.insights import TARGETED, Baseline, MeasureTarget, judge_targets
from rekindle.insights.measures.model import Unit
from rekindle.insights.measures.targets import (
    TargetPace,
    TargetStanding,
    target_table,
)
from rekindle.vocabulary import Unknown

BEGUN, HALF, END = date(2026, 1, 1), date(2026, 7, 2), date(2026, 12, 31)
Figures = dict[str, float | Unknown]


def stand(
    now: float | Unknown,
    *,
    today: date = HALF,
    baseline: float | Unknown = 0.2,
    value: float = 0.1,
    by: date = END,
) -> TargetStanding:
    taken = Baseline(BEGUN, {"drifted_share": baseline})
    target = MeasureTarget("drifted_share", value, by)
    (one,) = judge_targets([target], taken, {"drifted_share": now}, today=today)
    json.dumps(one.to_json())
    assert target_table([one], "GBP").rows
    return one


@pytest.mark.parametrize(
    ("now", "today", "pace"),
    [
        (0.15, HALF, TargetPace.ENOUGH),
        (0.151, HALF, TargetPace.BEHIND),
        (0.1, HALF, TargetPace.REACHED),
        (0.3, HALF, TargetPace.BEHIND),
        (0.2, BEGUN, TargetPace.ENOUGH),
        (0.11, END, TargetPace.BEHIND),
        (0.11, date(2027, 1, 1), TargetPace.MISSED),
        (0.09, date(2027, 1, 1), TargetPace.REACHED),
    ],
)
def test_a_pace_is_a_straight_line_down_to_the_target(
    now: float, today: date, pace: TargetPace
) -> None:
    assert stand(now, today=today).pace is pace


def test_a_target_above_its_baseline_is_reached_from_below() -> None:
    assert stand(0.16, baseline=0.1, value=0.2).pace is TargetPace.ENOUGH
    assert stand(0.14, baseline=0.1, value=0.2).pace is TargetPace.BEHIND
    assert stand(0.2, baseline=0.1, value=0.2).pace is TargetPace.REACHED


def test_what_is_unknown_stays_unknown_with_its_reason() -> None:
    assert stand(Unknown("no orders")).pace == Unknown("no orders")
    assert stand(0.1, baseline=Unknown("no journey yet")).pace == Unknown("no journey yet")
    same = stand(0.2, value=0.2).pace
    assert isinstance(same, Unknown)
    assert "is the target already" in same.reason
    late = stand(0.2, by=BEGUN).pace
    assert isinstance(late, Unknown)
    assert "not before the day" in late.reason
    none = Unknown("none taken")
    (one,) = judge_targets([MeasureTarget("returned", 5, END)], none, {}, today=HALF)
    assert (one.pace, one.days_left) == (none, 182)


def test_the_names_of_the_settings_are_the_measures_there_are() -> None:
    assert set(get_args(MeasureName)) == set(TARGETED)
    assert {name for name, unit in TARGETED.items() if unit in (Unit.SHARE, Unit.POINTS)} == SHARES


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('measure = "returns"\nvalue = 5\nby = 2026-12-31', "targets.0.measure: write one of"),
        ('measure = "returned"\nvalue = 5\nby = "soon"', "targets.0.by: write a day like"),
        ('measure = "drifted_share"\nvalue = 12\nby = 2026-12-31', "write one from 0 to 1"),
        ('measure = "returned"\nvalue = -1\nby = 2026-12-31', "targets.0.value: write 0"),
        ('measure = "returned"\nvalue = nan\nby = 2026-12-31', "targets.0.value"),
        ('measure = "returned"\nby = 2026-12-31', "targets.0.value: this is missing"),
    ],
)
def test_a_bad_target_is_told_with_its_place(lines: str, told: str) -> None:
    with pytest.raises(ConfigError, match=r"rekindle\.toml is not a valid") as caught:
        parse_config(f"[[targets]]\n{lines}\n")
    assert told in str(caught.value)
