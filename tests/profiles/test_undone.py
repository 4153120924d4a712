"""What was cancelled or given back at once was no purchase, from then on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from rekindle.profiles import build_presence, build_timeline
from rekindle.testing.small_shop import Card, Sale, SmallShop
from tests.profiles.conftest import DAY_0, Ask, bought, day

HOUR = timedelta(hours=1)


def sold(hours: float, gross: int = 10, person: str = "ann", **more: Any) -> Sale:
    return Sale(person, DAY_0 + hours * HOUR, gross=Decimal(gross), **more)


def gave_back(hours: float, amount: int = 10, person: str = "ann") -> Sale:
    return Sale(person, DAY_0 + hours * HOUR, Decimal(0), refund=Decimal(amount), kind="refund")


CASES: tuple[tuple[list[Sale], int], ...] = (
    ([sold(0), gave_back(1)], 0),
    ([sold(0), gave_back(0)], 0),
    ([sold(0), gave_back(72)], 0),
    ([sold(0), gave_back(73)], 1),
    ([gave_back(0), sold(1)], 1),
    ([sold(0), gave_back(1, 9)], 1),
    ([sold(0), gave_back(1, person="ben")], 1),
    # A refund undoes one order, two undo two, and one of long before none.
    ([sold(0), sold(1), gave_back(2)], 1),
    ([sold(0), sold(1), gave_back(2), gave_back(3)], 0),
    ([sold(0), gave_back(1), sold(2), gave_back(3)], 0),
    ([sold(0), gave_back(1), sold(2)], 1),
    ([sold(-2000), sold(0), gave_back(1)], 1),
    # By the order's own row: all of it, in time, with a date.
    ([sold(0, refund=Decimal(10), refunded_at=DAY_0 + 72 * HOUR)], 0),
    ([sold(0, refund=Decimal(12), refunded_at=DAY_0 + HOUR)], 0),
    ([sold(0, refund=Decimal(10), refunded_at=DAY_0 + 73 * HOUR)], 1),
    ([sold(0, refund=Decimal(9), refunded_at=DAY_0 + HOUR)], 1),
    ([sold(0, refund=Decimal(10))], 1),
    ([sold(0, discount=Decimal(4), refund=Decimal(6), refunded_at=DAY_0 + HOUR)], 0),
    ([sold(0, discount=Decimal(4)), gave_back(1, 6)], 0),
    ([sold(0, cancelled_at=DAY_0 + 500 * HOUR)], 0),
)


@pytest.mark.long
def test_which_purchases_stand(ask: Ask) -> None:
    sales = [
        replace(sale, person=f"{number}{sale.person}")
        for number, (own, _) in enumerate(CASES)
        for sale in own
    ]
    profiles = ask(SmallShop(sales), 30)
    found = [profiles[f"{number}ann"]["orders_count"] for number in range(len(CASES))]
    assert found == [standing for _, standing in CASES]


@pytest.mark.long
def test_until_it_was_undone_it_was_a_purchase(ask: Ask) -> None:
    shop = SmallShop([sold(0), sold(24, 90), gave_back(49, 90)])
    before, after = (ask(shop, on)["ann"] for on in (2, 3))
    assert (before["orders_count"], before["average_order_value"]) == (2, 50)
    assert (after["orders_count"], after["average_order_value"]) == (1, 10)
    assert before["last_order_on"] == day(1).date()
    assert (after["last_order_on"], after["silence_days"]) == (day(0).date(), 3)
    assert (after["previous_order_on"], after["purchase_days_count"]) == (None, 1)


def test_what_was_undone_keeps_its_amounts(ask: Ask) -> None:
    ann = ask(SmallShop([sold(0), gave_back(1)]), 9)["ann"]
    assert (ann["gross_value"], ann["refund_value"], ann["lifetime_value"]) == (10, 10, 0)


@pytest.mark.long
def test_who_gave_everything_back_is_no_prospect(ask: Ask) -> None:
    shop = SmallShop([sold(0), gave_back(1), *bought("ben", 0)], [Card("cleo")])
    for on in (2, 100, 900):
        profiles = ask(shop, on)
        ann = profiles["ann"]
        assert ann["tier"] == profiles["ben"]["tier"] != "prospect"
        assert (ann["silence_days"], ann["tier_since_on"]) == (
            on, profiles["ben"]["tier_since_on"]
        )  # fmt: skip
        assert (ann["orders_count"], ann["average_order_value"], ann["value_band"]) == (
            0, None, None,
        )  # fmt: skip
        assert profiles["cleo"]["tier"] == "prospect"


@pytest.mark.long
def test_undone_purchases_make_no_gaps(ask: Ask) -> None:
    shop = SmallShop([*bought("ann", 0, 30), *bought("ben", 0), sold(240, 7, "ben"),
                      gave_back(241, 7, "ben")])  # fmt: skip
    ben = ask(shop, 40)["ben"]
    assert (ben["mean_gap_days"], ben["first_order_on"]) == (None, day(0).date())
    # One gap of 30 days, and ten days of silence since.
    assert ben["expected_gap_days"] == 40


@pytest.mark.long
def test_a_refund_by_another_id_of_the_same_person(ask: Ask) -> None:
    shop = SmallShop([sold(0, person="ann-2"), gave_back(1)], persons={"ann-2": "ann"})
    assert ask(shop, 9)["ann"]["orders_count"] == 0
    engine = shop.engine()
    facts = engine.facts()
    spells = build_presence(build_timeline(facts), facts)
    rows = engine.run(spells.order_by("valid_from")).to_pylist()
    assert [row["orders_count"] for row in rows] == [1, 0]
    assert engine.run(facts.bought_orders()).num_rows == 1
    standing = facts.standing_orders().order_by("ordered_at").select("kind")
    assert engine.run(standing).column(0).to_pylist() == ["undone", "refund"]
