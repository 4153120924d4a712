"""What a profile says of a subscriber on a day is what the audit of that day says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from rekindle.config import LifecycleSettings
from rekindle.profiles import FAMILIES, build_profiles
from rekindle.subscriptions import OURS, build_departures, build_states, build_stays
from rekindle.testing.family_contract import check_families
from rekindle.testing.small_shop import Card
from tests.subscriptions.businesses import (
    NOW,
    Business,
    Row,
    at,
    cancellation,
    change,
    pause,
    payment,
    random_business,
    subscription,
)

COLUMNS = tuple(column.name for column in FAMILIES["subscriber"].columns)


def newest(rows: Iterable[Mapping[str, Any]], by: str) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for row in sorted(rows, key=lambda row: row[by]):
        found[row["customer_id"]] = row
    return found


@pytest.mark.long
@pytest.mark.draws(1)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_states_say_at_any_instant_what_the_departures_of_it_say(seed: int) -> None:
    business = random_business(seed)
    engine = business.shop().engine()
    facts = engine.facts()
    states = engine.run(build_states(facts)).to_pylist()
    asked = [row["ended_at"] for row in business.subscriptions if row["ended_at"]][:2]
    compared = 0
    for when in (one + timedelta(microseconds=late) for one in asked for late in (0, 1)):
        gone = newest(engine.run(build_departures(facts, when, OURS)).to_pylist(), "time")
        stays = newest(engine.run(build_stays(facts, when, OURS)).to_pylist(), "time")
        known = newest((row for row in states if row["at"] < when), "at")
        assert set(stays) == {who for who, row in known.items() if row["came_on"]}
        for who, row in known.items():
            one = gone.get(who)
            found = (row["left_on"], row["times"], row["kind"], row["reason"])
            said = one and (one["left_on"], one["time"], one["kind"], one["reason"])
            assert found == (said or (None, 0, None, None)), (who, when)
            assert who not in stays or row["came_on"] == stays[who]["came_on"]
            assert who not in stays or (row["seats"] > 0) == (stays[who]["left_on"] is None)
            compared += 1
    engine.close()
    assert compared > 15


@pytest.mark.long
def test_the_family_keeps_what_families_promise() -> None:
    words = {
        "outcome": ("failed", "paid"),
        "end_reason": ("payment failed",),
        "reason": ("budget",),
    }
    check_families("subscriber", texts=words)


def profile(business: Business, day: str | datetime = NOW, who: str = "c") -> dict[str, Any]:
    engine = replace(business.shop(), cards=[Card(who)]).engine()
    when = at(day) if isinstance(day, str) else day
    table = build_profiles(
        engine.facts(), when, LifecycleSettings(), columns=("customer_id", *COLUMNS)
    )
    found = {row.pop("customer_id"): row for row in engine.run(table).to_pylist()}
    engine.close()
    return dict(found[who])


STAY = subscription("a", "c", "2024-01-01", "2024-06-01", mrr=9, plan="small")
HISTORY = Business(
    [STAY, subscription("b", "c", "2024-08-01", mrr=19, plan="large")],
    changes=[change("a", "2024-03-01", mrr=12, plan="middle"), change("b", "2024-09-01", mrr=29)],
    pauses=[pause("b", "2024-10-01", "2024-12-01")],
    cancellations=[cancellation("x", "c", "2024-06-05", "Budget")],
)
NEVER: Row = dict.fromkeys(COLUMNS) | dict.fromkeys(
    ("paid_months", "times_churned", "times_churned_unpaid"), 0
)
DAYS: list[tuple[str, Row]] = [
    ("2024-01-01", NEVER),
    (
        "2024-01-02",
        {"subscription_state": "subscribed", "subscription_plan": "small", "mrr": Decimal(9)},
    ),
    ("2024-04-01", {"subscription_plan": "middle", "mrr": Decimal(12), "paid_months": 3}),
    ("2024-06-01", {"subscription_state": "subscribed", "times_churned": 0, "churned_on": None}),
    (
        "2024-06-02",
        {
            "subscription_state": "gone",
            "mrr": Decimal(0),
            "churned_on": date(2024, 6, 1),
            "churn_kind": "unknown",
            "churn_reason": None,
            "months_since_churn": 0,
            "times_churned": 1,
            "churned_mrr": Decimal(12),
            # 60 days at 9 and 92 at 12 a month of 30.4375 days.
            "subscription_value": Decimal("54.0123"),
            "subscription_plan": "middle",
        },
    ),
    ("2024-06-06", {"churn_kind": "voluntary", "churn_reason": "budget", "paid_months": 5}),
    ("2024-07-31", {"months_since_churn": 1, "paid_months": 5}),
    (
        "2024-08-02",
        {
            "subscription_state": "subscribed",
            "subscribed_on": date(2024, 8, 1),
            "churned_on": date(2024, 6, 1),
            "churn_reason": "budget",
            "months_since_churn": None,
            "times_churned": 1,
        },
    ),
    ("2024-09-02", {"mrr": Decimal(29), "subscription_plan": "large"}),
    ("2024-10-02", {"subscription_state": "paused", "mrr": Decimal(0), "paid_months": 7}),
    ("2024-12-01", {"subscription_state": "paused", "paid_months": 7}),
    ("2024-12-02", {"subscription_state": "subscribed", "mrr": Decimal(29)}),
]


@pytest.mark.parametrize(
    ("subscriptions", "changes", "expected"),
    [
        ([STAY], [change("a", "2024-03-01", mrr=12)], 12),
        # The one that went on is all that was paid then.
        pytest.param(
            [STAY, subscription("b", "c", "2024-01-01", "2024-06-01", mrr=5)],
            [],
            5,
            marks=pytest.mark.long,
        ),
    ],
)
def test_who_leaves_in_a_pause_paid_what_was_paid_before_it(
    subscriptions: list[Row], changes: list[Row], expected: int
) -> None:
    business = Business(
        subscriptions, changes=changes, pauses=[pause("a", "2024-05-01", "2024-12-01")]
    )
    assert profile(business, "2024-06-02")["churned_mrr"] == Decimal(expected)


@pytest.mark.long
@pytest.mark.draws(4)
@pytest.mark.parametrize(("day", "expected"), DAYS, ids=[day for day, _ in DAYS])
def test_a_profile_says_how_a_subscriber_stands_on_a_day(day: str, expected: Row) -> None:
    found = profile(HISTORY, day)
    assert {name: found[name] for name in expected} == expected


@pytest.mark.long
def test_a_failed_payment_that_clears_after_the_end_was_not_why() -> None:
    owed = {"subscription_id": "a"}
    business = Business(
        [STAY],
        payments=[
            payment("1", "c", "2024-05-30", "failed", **owed),
            payment("2", "c", "2024-06-10", "paid", **owed),
        ],
    )
    kinds = [profile(business, day)["churn_kind"] for day in ("2024-06-02", "2024-06-11")]
    assert kinds == ["involuntary", "unknown"]


@pytest.mark.long
def test_departures_for_want_of_a_payment_are_counted_as_they_were_known() -> None:
    unpaid = {"end_reason": "payment_failed", "mrr": 9}
    business = Business(
        [
            subscription("a", "c", "2024-01-01", "2024-02-01", **unpaid),
            subscription("b", "c", "2024-03-01", "2024-04-01", mrr=9),
            subscription("d", "c", "2024-05-01", "2024-06-01", **unpaid),
        ]
    )
    days = ("2024-01-15", "2024-02-02", "2024-03-02", "2024-04-02", "2024-06-02")
    assert [profile(business, day)["times_churned_unpaid"] for day in days] == [0, 1, 1, 1, 2]


@pytest.mark.long
def test_somebody_who_tries_it_out_never_left() -> None:
    trial = subscription("a", "c", "2024-01-01", "2024-01-15", amount=9, is_trial=True)
    found = profile(Business([trial]))
    assert (found["subscription_state"], found["churned_on"]) == (None, None)
    assert found["times_churned"] == 0


def test_without_subscriptions_all_is_blank() -> None:
    assert profile(Business([])) == NEVER
