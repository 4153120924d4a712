"""All marketing journeys together, against the people who got nothing from any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rekindle.desk.reporting import leave_out
from rekindle.insights import (
    DrawnPerson,
    JourneyRecord,
    Membership,
    Programme,
    build_programme,
    programme_tables,
)
from rekindle.journeys import Goal, HoldoutPeriod, Journey, Withheld, find_ended
from rekindle.vocabulary import Arm, Purpose, SignalKind, Unknown

START = datetime(2024, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
MONTH = 30 * DAY
HALF = [HoldoutPeriod(1, 0.5, START)]


def crowd(prefix: str, arm: Arm, count: int, **changes: Any) -> list[DrawnPerson]:
    usual = DrawnPerson("", arm, START, 0.5)
    return [replace(usual, person=f"{prefix}{n}", **changes) for n in range(count)]


@pytest.fixture
def programme_of(open_shop: Any, order_rows: Any) -> Any:
    def build(
        orders: list[Any],
        drawn: Sequence[DrawnPerson],
        shares: Sequence[HoldoutPeriod] = HALF,
        until: datetime = START + 2 * MONTH,
    ) -> Programme:
        engine = open_shop(orders=order_rows(orders))
        facts = engine.facts()
        return build_programme(shares, drawn, facts, engine, within=MONTH, until=until)

    return build


def test_people_are_compared_over_one_window_once_it_is_over(programme_of: Any) -> None:
    drawn = crowd("t", Arm.TREATMENT, 40) + crowd("h", Arm.HOLDOUT, 40)
    drawn += crowd("young", Arm.HOLDOUT, 5, at=START + MONTH + DAY)
    orders = [(f"t{n}", "2024-03-10", 30.0 + n) for n in range(30)]
    orders += [("t0", "2024-04-20", 999.0), ("young0", "2024-04-02", 999.0)]
    orders += [(f"h{n}", "2024-03-10", 30.0 + n) for n in range(10)]
    (part,) = programme_of(orders, drawn).parts
    assert part.drawn == {Arm.TREATMENT: 40, Arm.HOLDOUT: 45}
    assert part.over == {Arm.TREATMENT: 40, Arm.HOLDOUT: 40}
    assert part.bought == {Arm.TREATMENT: 30, Arm.HOLDOUT: 10}
    assert part.revenue == {Arm.TREATMENT: 1335.0, Arm.HOLDOUT: 345.0}
    assert part.return_lift.difference == pytest.approx(0.5)
    assert part.lift.low > 0
    assert part.total.value == pytest.approx(1335.0 - 345.0)
    assert part.lift.interval.value == "open-ended"


def test_shares_are_compared_apart_the_newest_first(programme_of: Any) -> None:
    shares = [*HALF, HoldoutPeriod(2, 0.1, START + 5 * DAY)]
    later = {"at": START + 6 * DAY, "share": 0.1}
    drawn = [
        *crowd("t", Arm.TREATMENT, 4),
        *crowd("h", Arm.HOLDOUT, 4),
        *crowd("lt", Arm.TREATMENT, 9, **later),
        *crowd("lh", Arm.HOLDOUT, 1, **later),
    ]
    found = programme_of([], drawn, shares)
    assert [part.share for part in found.parts] == [0.1, 0.5]
    assert found.to_json()["parts"][0]["drawn"] == {"treatment": 9, "holdout": 1}


def test_time_without_a_holdout_is_compared_for_neither_arm(programme_of: Any) -> None:
    shares = [
        *HALF,
        HoldoutPeriod(2, 0.0, START + 20 * DAY),
        HoldoutPeriod(3, 0.5, START + 25 * DAY),
    ]
    late = {"at": START + 26 * DAY}
    drawn = crowd("t", Arm.TREATMENT, 3) + crowd("h", Arm.HOLDOUT, 3)
    drawn += crowd("u", Arm.TREATMENT, 2, **late) + crowd("k", Arm.HOLDOUT, 2, **late)
    (part,) = programme_of([], drawn, shares).parts
    assert part.left_out == 6
    assert part.over == {Arm.TREATMENT: 2, Arm.HOLDOUT: 2}
    assert find_ended(shares, START + MONTH) == [(START + 20 * DAY, START + 25 * DAY)]


def test_arms_that_are_not_as_they_were_drawn_are_not_compared(programme_of: Any) -> None:
    drawn = crowd("t", Arm.TREATMENT, 200) + crowd("h", Arm.HOLDOUT, 50)
    (part,) = programme_of([("t1", "2024-03-10", 10.0)], drawn).parts
    assert isinstance(part.lift, Unknown)
    assert "which is no chance" in part.lift.reason


@pytest.mark.parametrize("shares", [[], HALF, [*HALF, HoldoutPeriod(2, 0.0, START + DAY)]])
def test_programme_is_told_with_nobody_drawn(
    programme_of: Any, shares: list[HoldoutPeriod]
) -> None:
    found = programme_of([], [], shares)
    assert found.told in programme_tables(found)[0].notes
    assert found.to_json()["parts"] == []


def test_parts_are_told_in_a_table_each(programme_of: Any) -> None:
    drawn = crowd("t", Arm.TREATMENT, 40) + crowd("h", Arm.HOLDOUT, 40)
    orders = [(f"t{n}", "2024-03-10", 30.0 + n) for n in range(30)]
    orders += [(f"h{n}", "2024-03-10", 30.0 + n) for n in range(10)]
    _, table = programme_tables(programme_of(orders, drawn))
    cells = {row[0]: row[1:] for row in table.rows}
    assert cells["bought"] == ("30", "10")
    assert cells["buyers more"][0] == "50.0 points"


def test_journey_is_compared_without_those_whom_nothing_could_reach() -> None:
    def member(person: str, at: datetime) -> Membership:
        return Membership(person, Arm.TREATMENT, 0, at, None, None, None)

    marketing = Journey("lapsed", "true", Goal(SignalKind.ORDER, MONTH), ())
    record = JourneyRecord(
        marketing,
        START,
        START + MONTH,
        0.5,
        [member("before", START - DAY), member("held", START), member("ended", START + 9 * DAY)],
        {},
        {},
        (),
        is_replay=False,
    )
    held = dict.fromkeys(("before", "held", "ended"), START)
    spans = [(START + 8 * DAY, START + MONTH)]
    withheld = Withheld(held, spans)
    left = leave_out(record, withheld)
    assert [one.person for one in left.members] == ["before", "ended"]
    assert "1 person is in the holdout of all" in left.notes[-1]
    receipt = replace(record, journey=replace(marketing, purpose=Purpose.TRANSACTIONAL))
    assert leave_out(receipt, withheld) is receipt
