"""When silence becomes a reason to act: every tier, to the day."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rekindle.config import LifecycleSettings, TierDays
from rekindle.testing.small_shop import Card, Sale, SmallShop
from tests.profiles.conftest import DAY_0, Ask, bought, day

FASHION = LifecycleSettings(preset="fashion")  # 90, 180, 365 and 730 days
SHOES = LifecycleSettings(
    preset="fashion", days={"shoes": TierDays(at_risk=10, lapsed=20, dormant=30, gone=40)}
)


@pytest.mark.long
@pytest.mark.parametrize(
    ("silence", "tier", "since"),
    [
        (1, "new", 0),
        (89, "new", 0),
        (90, "at_risk", 90),
        (179, "at_risk", 90),
        (180, "lapsed", 180),
        (364, "lapsed", 180),
        (365, "dormant", 365),
        (729, "dormant", 365),
        (730, "gone", 730),
        (2000, "gone", 730),
    ],
)
def test_a_tier_begins_on_its_day(ask: Ask, silence: int, tier: str, since: int) -> None:
    ann = ask(SmallShop(bought("ann", 0)), silence, FASHION)["ann"]
    assert (ann["tier"], ann["silence_days"]) == (tier, silence)
    assert ann["tier_since_on"] == day(since).date()


def test_who_bought_on_two_days_and_lately_is_active(ask: Ask) -> None:
    shop = SmallShop([*bought("ann", 0, 20), *bought("ben", 20, 20)])
    profiles = ask(shop, 25, FASHION)
    assert (profiles["ann"]["tier"], profiles["ben"]["tier"]) == ("active", "new")
    assert profiles["ann"]["tier_since_on"] == day(20).date()


@pytest.mark.parametrize(
    ("days", "on", "tier"),
    [
        ((0, 179), 185, "active"),
        ((0, 180), 185, "returned"),
        ((0, 180), 269, "returned"),
        ((0, 180), 270, "at_risk"),
        ((0, 180, 190), 195, "active"),
    ],
)
def test_who_came_back_from_a_lapse_is_watched(
    ask: Ask, days: tuple[int, ...], on: int, tier: str
) -> None:
    assert ask(SmallShop(bought("ann", *days)), on, FASHION)["ann"]["tier"] == tier


@pytest.mark.long
def test_the_pause_before_a_second_purchase_is_judged_by_the_line_of_one(ask: Ask) -> None:
    # 60 others bought once and hardly ever again: one purchase is a lapse sooner than several.
    crowd = [sale for one in range(60) for sale in bought(f"o{one}", 0)]
    crowd += [sale for one in range(20) for sale in bought(f"t{one}", 0, 10)]
    shop = SmallShop([*crowd, *bought("ann", 400, 480), *bought("ben", 360, 400, 480)])
    profiles = ask(shop, 490)
    assert profiles["o0"]["lapsed_after_days"] < 80
    assert (profiles["ann"]["tier"], profiles["ben"]["tier"]) == ("returned", "active")


@pytest.mark.long
def test_who_never_bought_is_a_prospect(ask: Ask) -> None:
    given_back = Sale("ben", day(1), kind="refund")
    profiles = ask(SmallShop([given_back], [Card("ann", country="GB")]), 900, FASHION)
    for person in ("ann", "ben"):
        profile = profiles[person]
        assert (profile["tier"], profile["orders_count"]) == ("prospect", 0)
        assert profile["tier_since_on"] is None
        assert profile["silence_days"] is None
        assert profile["value_band"] is None


@pytest.mark.long
@pytest.mark.parametrize(("silence", "tier"), [(9, "new"), (10, "at_risk"), (40, "gone")])
def test_days_of_the_main_category_win_over_the_preset(ask: Ask, silence: int, tier: str) -> None:
    line = (("p", "shoes", Sale("x", DAY_0).gross),)
    profiles = ask(SmallShop([*bought("ann", 0, lines=line), *bought("ben", 0)]), silence, SHOES)
    assert (profiles["ann"]["tier"], profiles["ben"]["tier"]) == (tier, "new")


@pytest.mark.long
@pytest.mark.parametrize(("silence", "tier"), [(89, "new"), (90, "at_risk"), (180, "lapsed")])
def test_while_nobody_bought_twice_a_fallback_gap_is_expected(
    ask: Ask, silence: int, tier: str
) -> None:
    ann = ask(SmallShop(bought("ann", 0)), silence)["ann"]
    assert (ann["expected_gap_days"], ann["at_risk_after_days"]) == (60, 90)
    assert ann["tier"] == tier


def test_no_tier_begins_before_the_minimum(ask: Ask) -> None:
    ann = ask(SmallShop(bought("ann", *range(30))), 36)["ann"]
    assert ann["expected_gap_days"] == 1
    lines = [ann[f"{line}_after_days"] for line in ("at_risk", "lapsed", "dormant", "gone")]
    assert lines == [7, 7, 7, 18]
    assert ann["tier"] == "dormant"


@pytest.mark.long
def test_silence_is_counted_in_the_businesss_days(ask: Ask) -> None:
    # Half past two in the afternoon UTC is half past eleven at night in Tokyo.
    late = Sale("ann", DAY_0 + timedelta(hours=2, minutes=30))
    shop = SmallShop([late], zone="Asia/Tokyo")
    ann = ask(shop, 1)["ann"]
    assert ann["last_order_on"] == DAY_0.date()
    assert ann["silence_days"] == 1
