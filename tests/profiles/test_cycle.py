"""How long between purchases is normal: worked by hand from the formula in cycle.py."""

from __future__ import annotations

from decimal import Decimal

import pytest

from rekindle.config import LifecycleSettings
from rekindle.testing.small_shop import Sale, SmallShop
from tests.profiles.conftest import Ask, bought

# Gaps: ann 10 and 20, ben 20, cleo none. On day 40 ann is silent for 10 days, ben for 20: what
# others wait still is in the shop's mean of three gaps, and the own silence is not.
SALES = [*bought("ann", 0, 10, 30), *bought("ben", 0, 20), *bought("cleo", 5)]
SHOP_GAP = {"ann": (50 + 20) / 3, "ben": (50 + 10) / 3, "cleo": (50 + 10 + 20) / 3}


@pytest.mark.long
def test_the_own_mean_gap_is_of_ones_own_gaps(ask: Ask) -> None:
    profiles = ask(SmallShop(SALES), 40)
    assert [profiles[p]["mean_gap_days"] for p in ("ann", "ben", "cleo")] == [15, 20, None]


def test_the_expected_gap_is_shrunk_towards_the_shops(ask: Ask) -> None:
    profiles = ask(SmallShop(SALES), 40)
    expected = {
        "ann": (30 + 2 * SHOP_GAP["ann"]) / (2 + 2),
        "ben": (20 + 2 * SHOP_GAP["ben"]) / (1 + 2),
        "cleo": SHOP_GAP["cleo"],
    }
    assert {p: row["expected_gap_days"] for p, row in profiles.items()} == pytest.approx(expected)
    assert profiles["ann"]["silence_ratio"] == pytest.approx(10 / expected["ann"])


@pytest.mark.long
def test_more_shrinkage_trusts_the_group_more(ask: Ask) -> None:
    ann = ask(SmallShop(SALES), 40, LifecycleSettings(shrinkage=8))["ann"]
    assert ann["expected_gap_days"] == pytest.approx((30 + 8 * SHOP_GAP["ann"]) / (2 + 8))


@pytest.mark.long
def test_the_group_is_the_main_category_where_there_is_one(ask: Ask) -> None:
    line = (("p", "bags", Decimal(1)),)
    sales = [*bought("ann", 0, 10, 30, lines=line), *bought("ben", 0, 20), *bought("cleo", 5)]
    profiles = ask(SmallShop(sales), 40)
    # The category's two gaps of 30 days, and twenty of the shop's.
    bags = (30 + 20 * SHOP_GAP["ann"]) / (2 + 20)
    assert profiles["ann"]["expected_gap_days"] == pytest.approx((30 + 2 * bags) / 4)
    assert profiles["ben"]["expected_gap_days"] == pytest.approx((20 + 2 * SHOP_GAP["ben"]) / 3)


@pytest.mark.long
def test_a_silence_counts_in_the_gap_of_others_until_it_is_a_lapse(ask: Ask) -> None:
    # Of gaps that have ended 50 / 3 days are the mean; ben would be lapsed after 53 days.
    until = int(3 * (20 + 2 * 50 / 3) / 3)
    for on in (20 + until, 2000):
        ann = ask(SmallShop(SALES), on)["ann"]
        assert ann["expected_gap_days"] == pytest.approx((30 + 2 * (50 + until) / 3) / 4)


@pytest.mark.long
@pytest.mark.parametrize("days", [(0,), (0, 10), (0, 10, 21)])
def test_ones_own_silence_moves_no_line(ask: Ask, days: tuple[int, ...]) -> None:
    shop = SmallShop([*bought("ann", *days), *bought("ben", *range(0, 491, 10))])
    # Ben has waited for a day on both, ann for 460 days more.
    gaps = [ask(shop, on)["ann"]["expected_gap_days"] for on in (31, 491)]
    assert gaps[0] == pytest.approx(gaps[1], rel=0.06)


def crowd(once: int, twice: int) -> SmallShop:
    """Return a shop in which so many bought once and so many again after ten days."""
    people = [bought(f"o{one}", 0) for one in range(once)]
    people += [bought(f"t{one}", 0, 10) for one in range(twice)]
    return SmallShop([sale for sales in people for sale in sales])


def test_after_one_purchase_the_gap_is_shorter_by_the_share_that_comes_back(ask: Ask) -> None:
    profiles = ask(crowd(30, 10), 1000)
    # Every silence after the second is a lapse from day 30 on: 10 gaps, 10 × (10 + 30) days. Of
    # 39 others 10 came back and 29 will with a chance of .003; twenty who did are added.
    share = (10 + 29 * 0.003 + 20) / (39 + 20)
    assert profiles["o0"]["expected_gap_days"] == pytest.approx(40 * share)
    assert profiles["t0"]["expected_gap_days"] == pytest.approx((10 + 2 * 37) / 3)


@pytest.mark.long
def test_a_first_purchase_of_late_may_still_be_followed(ask: Ask) -> None:
    early, late = (ask(crowd(30, 10), on)["o0"]["expected_gap_days"] for on in (40, 400))
    assert early > 1.2 * late


def test_where_hardly_anybody_comes_back_the_gap_is_a_quarter(ask: Ask) -> None:
    assert ask(crowd(200, 1), 3000)["o0"]["expected_gap_days"] == pytest.approx(40 / 4)


@pytest.mark.long
def test_the_share_that_comes_back_is_of_the_main_category(ask: Ask) -> None:
    def bags(person: str, *days: int) -> list[Sale]:
        return bought(person, *days, lines=(("p", "bags", Decimal(1)),))

    often = [sale for one in range(60) for sale in bought(f"t{one}", 0, 10)]
    once = [sale for one in range(60) for sale in bags(f"o{one}", 0)]
    profiles = ask(SmallShop([*often, *once, *bought("new", 0)]), 1000)
    # 60 of 120 others came back, and none of those who buy bags.
    shop = (60 + 59 * 0.003 + 0.003 + 20) / (120 + 20)
    bag = (59 * 0.003 + 20 * shop) / (59 + 20)
    assert bag < 0.25 < shop
    assert profiles["o0"]["expected_gap_days"] == pytest.approx(40 * 0.25)
    assert profiles["new"]["expected_gap_days"] == pytest.approx(40 * (80 + 60 * 0.003) / 140)


def test_several_orders_on_one_day_are_one_purchase_day(ask: Ask) -> None:
    ann = ask(SmallShop(bought("ann", 0, 0, 0, 8)), 10)["ann"]
    assert (ann["orders_count"], ann["purchase_days_count"]) == (4, 2)
    assert ann["mean_gap_days"] == 8


def test_a_refund_is_no_purchase_day(ask: Ask) -> None:
    sales = [*bought("ann", 0, 8), *bought("ann", 4, kind="refund")]
    ann = ask(SmallShop(sales), 10)["ann"]
    assert (ann["purchase_days_count"], ann["previous_order_on"]) == (2, sales[0].at.date())
