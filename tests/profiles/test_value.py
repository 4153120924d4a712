"""What a person brought, which fifth that is, and what it was spent on."""

from __future__ import annotations

from decimal import Decimal

import pytest

from rekindle.testing.small_shop import Card, Sale, SmallShop
from tests.profiles.conftest import Ask, bought, day


def test_lifetime_value_is_net_of_discounts_and_refunds(ask: Ask) -> None:
    sales = [
        Sale("ann", day(0), Decimal(100), discount=Decimal(10), refund=Decimal(5)),
        Sale("ann", day(1), Decimal(50)),
        Sale("ann", day(2), Decimal(0), refund=Decimal("20.5"), kind="refund"),
    ]
    ann = ask(SmallShop(sales), 3)["ann"]
    assert ann["gross_value"] == 150
    assert ann["lifetime_value"] == Decimal("114.5")
    assert ann["average_order_value"] == 70


def test_an_amount_that_a_warehouse_leaves_open_is_none(ask: Ask) -> None:
    ann = ask(SmallShop([Sale("ann", day(0), discount=None, refund=None)]), 1)["ann"]
    assert (ann["discount_value"], ann["refund_value"], ann["lifetime_value"]) == (0, 0, 10)


@pytest.mark.long
def test_the_upper_fifth_of_buyers_is_high_and_the_lower_half_low(ask: Ask) -> None:
    sales = [sale for n in range(1, 11) for sale in bought(f"{n:02}", 0, gross=n)]
    profiles = ask(SmallShop(sales, [Card("prospect")]), 1)
    bands = [profiles[person]["value_band"] for person in sorted(profiles)]
    assert bands == ["low"] * 5 + ["middle"] * 3 + ["high"] * 2 + [None]


@pytest.mark.long
def test_taste_is_where_most_was_spent(ask: Ask) -> None:
    lines = (("a", "hats", Decimal(30)), ("b", None, Decimal(50)), ("c", None, Decimal(20)))
    shop = SmallShop(bought("ann", 0, lines=lines), products={"b": "bags", "c": None})
    ann = ask(shop, 1)["ann"]
    assert (ann["top_category"], ann["top_category_share"]) == ("bags", 50 / 80)


def test_a_tie_of_taste_is_settled_by_the_alphabet(ask: Ask) -> None:
    lines = (("a", "hats", Decimal(5)), ("b", "bags", Decimal(5)))
    assert ask(SmallShop(bought("ann", 0, lines=lines)), 1)["ann"]["top_category"] == "bags"


def test_what_was_given_back_does_not_rewrite_taste(ask: Ask) -> None:
    hats, bags = (("a", "hats", Decimal(9)),), (("b", "bags", Decimal(5)),)
    sales = [
        *bought("ann", 0, lines=bags),
        *bought("ann", 1, kind="refund", lines=hats),
    ]
    assert ask(SmallShop(sales), 2)["ann"]["top_category"] == "bags"


def test_sales_without_a_customer_belong_to_nobody(ask: Ask) -> None:
    shop = SmallShop([Sale(None, day(0)), *bought("ann", 0)])
    assert list(ask(shop, 1)) == ["ann"]


@pytest.mark.long
def test_ids_of_one_person_are_one_profile(ask: Ask) -> None:
    cards = [Card("ann", email="a@example.com"), Card("ann-2", country="GB")]
    shop = SmallShop([*bought("ann", 0), *bought("ann-2", 5)], cards, persons={"ann-2": "ann"})
    profiles = ask(shop, 9)
    assert list(profiles) == ["ann"]
    ann = profiles["ann"]
    assert (ann["orders_count"], ann["country"], ann["has_email"]) == (2, "GB", True)
