"""How long between purchases is normal: worked by hand from the formula in cycle.py."""

from __future__ import annotations

from decimal import Decimal

import pytest

from rekindle.config import LifecycleSettings
from rekindle.testing.small_shop import SmallShop
from tests.profiles.conftest import Ask, bought

# Gaps: ann 10 and 20, ben 20, cleo none; the shop's mean is 50 / 3.
SALES = [*bought("ann", 0, 10, 30), *bought("ben", 0, 20), *bought("cleo", 5)]
SHOP_GAP = 50 / 3


def test_the_own_mean_gap_is_of_ones_own_gaps(ask: Ask) -> None:
    profiles = ask(SmallShop(SALES), 40)
    assert [profiles[p]["mean_gap_days"] for p in ("ann", "ben", "cleo")] == [15, 20, None]


def test_the_expected_gap_is_shrunk_towards_the_shops(ask: Ask) -> None:
    profiles = ask(SmallShop(SALES), 40)
    expected = {
        "ann": (30 + 2 * SHOP_GAP) / (2 + 2),
        "ben": (20 + 2 * SHOP_GAP) / (1 + 2),
        "cleo": SHOP_GAP,
    }
    assert {p: row["expected_gap_days"] for p, row in profiles.items()} == pytest.approx(expected)
    assert profiles["ann"]["silence_ratio"] == pytest.approx(10 / expected["ann"])


def test_more_shrinkage_trusts_the_group_more(ask: Ask) -> None:
    ann = ask(SmallShop(SALES), 40, LifecycleSettings(shrinkage=8))["ann"]
    assert ann["expected_gap_days"] == pytest.approx((30 + 8 * SHOP_GAP) / (2 + 8))


def test_the_group_is_the_main_category_where_there_is_one(ask: Ask) -> None:
    line = (("p", "bags", Decimal(1)),)
    sales = [*bought("ann", 0, 10, 30, lines=line), *bought("ben", 0, 20), *bought("cleo", 5)]
    profiles = ask(SmallShop(sales), 40)
    # The category's two gaps of 30 days, and twenty of the shop's.
    bags = (30 + 20 * SHOP_GAP) / (2 + 20)
    assert profiles["ann"]["expected_gap_days"] == pytest.approx((30 + 2 * bags) / 4)
    assert profiles["ben"]["expected_gap_days"] == pytest.approx((20 + 2 * SHOP_GAP) / 3)


def test_several_orders_on_one_day_are_one_purchase_day(ask: Ask) -> None:
    ann = ask(SmallShop(bought("ann", 0, 0, 0, 8)), 10)["ann"]
    assert (ann["orders_count"], ann["purchase_days_count"]) == (4, 2)
    assert ann["mean_gap_days"] == 8


def test_a_refund_is_no_purchase_day(ask: Ask) -> None:
    sales = [*bought("ann", 0, 8), *bought("ann", 4, kind="refund")]
    ann = ask(SmallShop(sales), 10)["ann"]
    assert (ann["purchase_days_count"], ann["previous_order_on"]) == (2, sales[0].at.date())
