from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from rekindle.insights import MessageFate, build_report, report_page, report_tables
from rekindle.insights.lifting import Range
from rekindle.insights.lifting.attribution import Attribution, Order, credit
from rekindle.vocabulary import Arm, Channel, Unknown
from tests.insights.test_report import START, crowd, member, record

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
EMAIL, SMS = Channel("email"), Channel("sms")
EARNED = Range(30.0, 10.0, 50.0)


def fate(step: str, at: timedelta, clicked: Sequence[timedelta] = ()) -> MessageFate:
    channel = SMS if step == "nudge" else EMAIL
    clicks = tuple(START + one for one in clicked)
    return MessageFate("a", 0, step, channel, "", "", START + at, 0, clicked_at=clicks)


def order(at: timedelta, net: float = 12.0, *, is_purchase: bool = True) -> Order:
    return Order("a", START + at, net, is_purchase)


# (messages, what is credited to whom: last, first, linear by step)
CASES = {
    "left half a day before": ([fate("one", 6 * DAY + 12 * HOUR)], {"one": (12, 12, 12)}),
    "left longer before": ([fate("one", 6 * DAY + 11 * HOUR)], {"one": (0, 0, 0)}),
    "clicked five days before": ([fate("one", DAY, [2 * DAY])], {"one": (12, 12, 12)}),
    "clicked longer before": ([fate("one", DAY, [2 * DAY - HOUR])], {"one": (0, 0, 0)}),
    "clicked afterwards": ([fate("one", DAY, [8 * DAY])], {"one": (0, 0, 0)}),
    "three touches": (
        [
            fate("one", DAY, [3 * DAY]),
            fate("two", 4 * DAY, [5 * DAY]),
            fate("nudge", 7 * DAY - HOUR),
        ],
        {"one": (0, 12, 4), "two": (0, 0, 4), "nudge": (12, 0, 4)},
    ),
    "clicked again": (
        [fate("one", DAY, [3 * DAY, 6 * DAY]), fate("two", 4 * DAY, [5 * DAY])],
        {"one": (12, 12, 6), "two": (0, 0, 6)},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_purchase_is_credited_by_the_windows(case: str) -> None:
    messages, expected = CASES[case]
    told = credit([order(7 * DAY)], {"a": messages}, EARNED)
    assert {one.step: (one.last, one.first, one.linear) for one in told.credits} == expected


def test_models_credit_the_same_sum_and_it_is_reconciled_with_the_lift() -> None:
    messages = {"a": [fate("one", DAY, [3 * DAY]), fate("two", 4 * DAY, [5 * DAY])]}
    orders = [order(6 * DAY, 40.0), order(20 * DAY, 100.0), order(6 * DAY, -5.0, is_purchase=False)]
    told = credit(orders, messages, EARNED)
    for model in ("last", "first", "linear"):
        assert sum(getattr(one, model) for one in told.credits) == told.attributed == 40
    assert (told.treated, told.purchases, told.credited) == (135, 2, 1)
    assert told.anyway == 105
    assert told.beyond == 10


def test_without_a_lift_nothing_is_said_to_have_come_anyway() -> None:
    told = credit([order(DAY)], {}, Unknown("too few"))
    assert told.anyway == told.beyond == Unknown("too few")


@pytest.mark.long
def test_report_tells_it_in_its_tables_its_json_and_its_page(
    open_shop: Any, order_rows: Any
) -> None:
    people = [*crowd("t", Arm.TREATMENT, 60), *crowd("h", Arm.HOLDOUT, 60), member("a")]
    bought = [(f"t{n}", "2024-03-10", 20.0 + n) for n in range(40)]
    bought += [(f"h{n}", "2024-03-10", 20.0 + n) for n in range(20)]
    engine = open_shop(orders=order_rows([*bought, ("a", "2024-03-09", 50.0)]))
    one = record(people, fates=[fate("one", DAY, [6 * DAY])])
    report = build_report(one, engine.facts(), engine)
    told = report.attribution
    assert isinstance(told, Attribution)
    assert told.treated == pytest.approx(report.arms[Arm.TREATMENT].revenue)
    assert told.attributed == 50
    assert report.earnings is not None
    assert told.earned == report.earnings.total
    json = report.to_json()["attribution"]
    assert isinstance(json, dict)
    assert json["attributed"] + json["not_attributed"] == pytest.approx(json["treated_revenue"])
    title = "Attributed, beside what was earned"
    assert title in [table.title for table in report_tables(report)]
    assert title in report_page(report)


def test_nothing_is_attributed_in_a_replay(open_shop: Any, order_rows: Any) -> None:
    engine = open_shop(orders=order_rows([("a", "2024-03-10", 20.0)]))
    report = build_report(record([member("a")], is_replay=True), engine.facts(), engine)
    assert report.to_json()["attribution"] == {
        "unknown": "nobody was contacted, so there is nothing to credit"
    }
    assert "Attributed, beside what was earned" not in report_page(report)
