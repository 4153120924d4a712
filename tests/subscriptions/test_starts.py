"""When a stay begins, which is a purchase, and what it brings over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rekindle.subscriptions import (
    OURS,
    Movement,
    build_corrected_starts,
    build_movements,
    build_named_starts,
    build_purchases,
    build_rates,
    build_starts,
    name_start,
)
from rekindle.testing.family_contract import check_families
from tests.subscriptions.businesses import (
    NOW,
    Business,
    change,
    pause,
    random_business,
    subscription,
)

GOLD: dict[str, Any] = {"amount": 10, "interval": "month"}


def starts(business: Business) -> list[tuple[str, str, str]]:
    engine = business.shop().engine()
    rows = engine.run(build_named_starts(engine.facts()).order_by("customer_id", "at")).to_pylist()
    engine.close()
    return [(row["customer_id"], f"{row['at']:%Y-%m-%d}", row["order_id"]) for row in rows]


def days(rows: Sequence[dict[str, Any]], **more: Any) -> list[str]:
    return [day for _, day, _ in starts(Business(rows, **more))]


@pytest.mark.long
def test_the_first_and_the_next_stay_each_begin_once() -> None:
    rows = [
        subscription("s1", "ada", "2025-01-01", "2025-03-01", **GOLD),
        subscription("s2", "ada", "2025-06-01", **GOLD),
    ]
    assert days(rows) == ["2025-01-01", "2025-06-01"]
    assert [name for _, _, name in starts(Business(rows))] == [name_start("s1"), name_start("s2")]


@pytest.mark.long
def test_what_runs_beside_another_or_takes_its_place_begins_no_stay() -> None:
    rows = [
        subscription("s1", "ada", "2025-01-01", "2025-03-01", **GOLD),
        subscription("s2", "ada", "2025-02-01", "2025-05-01", **GOLD),
        subscription("s3", "ada", "2025-05-01", **GOLD),
    ]
    assert days(rows) == ["2025-01-01"]


def test_a_pause_is_part_of_a_stay() -> None:
    rows = [subscription("s1", "ada", "2025-01-01", **GOLD)]
    assert days(rows, pauses=[pause("s1", "2025-02-01", "2025-04-01")]) == ["2025-01-01"]


@pytest.mark.long
def test_a_trial_begins_a_stay_as_it_is_paid_for() -> None:
    rows = [subscription("s1", "ada", "2025-01-01", is_trial=True, amount=0, interval="month")]
    assert days(rows) == []
    assert days(rows, changes=[change("s1", "2025-01-15", **GOLD)]) == ["2025-01-15"]


@pytest.mark.long
def test_two_of_one_instant_are_one_start() -> None:
    rows = [subscription(number, "ada", "2025-01-01", **GOLD) for number in ("s2", "s1")]
    assert [name for _, _, name in starts(Business(rows))] == [name_start("s1")]


@pytest.mark.long
@pytest.mark.draws(2)
@pytest.mark.parametrize("seed", range(4))
def test_starts_are_the_days_of_new_and_reactivated_subscribers(seed: int) -> None:
    """Beside those that end on the day they begin, which the day's movement does not show."""
    business = random_business(seed)
    engine = business.shop().engine()
    facts = engine.facts()
    moved = engine.run(build_movements(facts, NOW, OURS)).to_pylist()
    came = {
        (row["customer_id"], row["on"])
        for row in moved
        if row["movement"] in (Movement.NEW.value, Movement.REACTIVATION.value)
    }
    zone = ZoneInfo(facts.zone)
    began = {
        (row["customer_id"], row["at"].replace(tzinfo=UTC).astimezone(zone).date())
        for row in engine.run(build_starts(facts)).to_pylist()
        if row["at"] < NOW
    }
    engine.close()
    assert came
    assert came <= began
    assert len(began - came) <= len(began) // 3


@pytest.mark.long
def test_rates_follow_each_other_and_say_what_is_paid() -> None:
    rows = [subscription("s1", "ada", "2025-01-01", "2025-07-01", **GOLD)]
    raised = [change("s1", "2025-03-01", amount=20, interval="month")]
    engine = Business(rows, changes=raised).shop().engine()
    found = engine.run(build_rates(engine.facts()).order_by("since_at")).to_pylist()
    engine.close()
    assert [(row["since_at"].month, float(row["mrr"])) for row in found] == [
        (1, 10.0),
        (3, 20.0),
        (7, 0.0),
    ]
    assert [row["ends_at"] and row["ends_at"].month for row in found] == [3, 7, None]


@pytest.mark.long
def test_purchases_are_orders_and_starts_in_one_form() -> None:
    engine = Business([subscription("s1", "ada", "2025-01-01", **GOLD)]).shop().engine()
    facts = engine.facts()
    (row,) = engine.run(build_purchases(facts.orders, facts)).to_pylist()
    engine.close()
    assert (row["customer_id"], row["kind"], row["known_in"]) == ("ada", "purchase", None)
    assert row["order_id"] == name_start("s1") == "subscription:s1@1"


@pytest.mark.long
def test_the_family_keeps_what_families_promise() -> None:
    check_families("starting", texts={"interval": ("month",)})


@pytest.mark.long
def test_what_was_corrected_is_told_of_its_customer_whole() -> None:
    """Two ids are one person: what is corrected of one decides whether the other's began a stay."""
    rows = [
        subscription("s1", "ada", "2025-01-01", changed_in=9, begun_count=2, **GOLD),
        subscription("s2", "eve", "2025-02-01", "2025-03-01", changed_in=3, **GOLD),
        subscription("s3", "bob", "2025-01-01", changed_in=3, **GOLD),
    ]
    priced = [change("s1", "2025-02-01", amount=12, interval="month", changed_in=3)]
    shop = replace(Business(rows, changes=priced).shop(), persons={"ada": "ada", "eve": "ada"})
    engine = shop.engine()
    found = engine.run(build_corrected_starts(engine.facts(), 3).order_by("order_id")).to_pylist()
    later = engine.run(build_corrected_starts(engine.facts(), 9)).num_rows
    engine.close()
    assert [(row["order_id"], row["customer_id"], row["is_void"]) for row in found] == [
        (name_start("s1", 2), "ada", False),
        (name_start("s1", 3), "ada", True),
        (name_start("s2"), "ada", True),
    ]
    assert later == 0
