"""A basket is what its newest events say of it; what cannot be read of one product is left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rekindle.intake import KeptEvent, basket_rows

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MUG = {"product_id": "p1", "name": "Mug", "quantity": 2, "price": "12.50"}
LAMP = {"sku": "p2", "price": 40, "url": "https://s.example/p2", "image_url": "https://s.example/i"}


def event(name: str, *products: Any, minute: int = 0, by_page: bool = False, **more: Any) -> Any:
    content = {"products": list(products), **more} if name.startswith("c") else {**more}
    at = NOON + timedelta(minutes=minute)
    return KeptEvent(name, "ada", at, content, message_id="visitor:1" if by_page else "1")


def rows(*events: KeptEvent) -> list[tuple[str, str, bool]]:
    found = basket_rows(events, "GBP")
    return [(row["product_id"], row["quantity"], row["is_whole"]) for row in found]


@pytest.mark.parametrize(
    "name", ["cart_viewed", "cart_updated", "cart_abandoned", "checkout_started"]
)
def test_a_whole_basket_names_its_products(name: str) -> None:
    mug, lamp = basket_rows([event(name, MUG, LAMP)], "GBP")
    assert mug == {
        "customer_id": "ada",
        "changed_at": NOON.isoformat(),
        "is_whole": True,
        "product_id": "p1",
        "quantity": "2",
        "name": "Mug",
        "unit_price": "12.5",
    }
    assert (lamp["product_id"], lamp["quantity"]) == ("p2", "1")
    assert (lamp["url"], lamp["image"]) == (LAMP["url"], LAMP["image_url"])


def test_an_emptied_basket_is_a_statement_and_one_without_a_list_is_none() -> None:
    assert rows(event("cart_updated")) == [("-", "0", True)]
    assert rows(KeptEvent("cart_viewed", "ada", NOON, {})) == []
    assert rows(KeptEvent("cart_viewed", "ada", NOON, {"products": "p1"})) == []


def test_what_is_put_in_and_taken_out_is_no_whole_basket() -> None:
    assert rows(
        event("product_added", minute=1, product_id="p1", quantity=2),
        event("product_removed", minute=2, product_id="p1", quantity=1),
        event("product_removed", minute=3, product_id="p1"),
    ) == [("p1", "2", False), ("p1", "-1", False), ("p1", "0", False)]


def test_of_one_instant_the_later_whole_basket_counts() -> None:
    assert rows(event("cart_updated", MUG, LAMP), event("cart_updated", LAMP)) == [
        ("p2", "1", True)
    ]
    added = event("product_added", product_id="p3")
    assert rows(added, event("cart_updated", MUG), added) == [("p1", "2", True)]
    assert rows(added, added) == [("p3", "2", False)]


def test_one_product_twice_is_as_many_as_both() -> None:
    assert rows(event("cart_viewed", MUG, MUG)) == [("p1", "4", True)]


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "p1",
        7,
        {},
        {"product_id": True},
        {"product_id": ["p1"]},
        {"product_id": " "},
        {"product_id": "x" * 201},
        {"product_id": "-"},
        {"name": "no id"},
    ],
)
def test_a_bad_product_harms_itself_alone(bad: object) -> None:
    assert rows(event("cart_viewed", bad, MUG)) == [("p1", "2", True)]
    assert rows(event("cart_viewed", bad)) == []  # an older basket is not taken for emptied


@pytest.mark.parametrize("price", ["cheap", -1, True, [], "NaN", "1e400", 1e12, None, ""])
def test_a_price_that_is_none_is_not_known(price: object) -> None:
    (row,) = basket_rows([event("cart_viewed", {**MUG, "price": price})], "GBP")
    assert "unit_price" not in row


@pytest.mark.parametrize("quantity", ["many", True, [], "NaN", "1e400", -1e12, None])
def test_a_quantity_that_is_none_is_one(quantity: object) -> None:
    assert rows(event("cart_viewed", {**MUG, "quantity": quantity})) == [("p1", "1", True)]
    assert rows(event("product_added", product_id="p1", quantity=0)) == [("p1", "1", False)]
    assert rows(event("cart_viewed", {**MUG, "quantity": -2})) == [("p1", "0", True)]


@pytest.mark.parametrize(
    ("currencies", "is_known"),
    [
        ({}, True),
        ({"currency": "gbp"}, True),
        ({"currency": "EUR"}, False),
        ({"currency": 1}, False),
    ],
)
def test_a_price_in_another_currency_is_left_out(
    currencies: dict[str, Any], *, is_known: bool
) -> None:
    (row,) = basket_rows([event("cart_viewed", MUG, **currencies)], "GBP")
    assert ("unit_price" in row) is is_known
    assert row["quantity"] == "2"


def test_a_page_is_believed_no_price_and_no_address() -> None:
    product = {**MUG, **LAMP, "product_id": "p1", "name": "Mug"}
    (row,) = basket_rows([event("cart_viewed", product, by_page=True)], "GBP")
    assert {"unit_price", "url", "image"}.isdisjoint(row)
    assert row["name"] == "Mug"


def test_a_basket_has_an_end() -> None:
    many = [{"product_id": f"p{n}", "name": "x" * 10_000} for n in range(500)]
    found = basket_rows([event("cart_viewed", *many)], "GBP")
    assert len(found) == 100
    assert {len(row["name"]) for row in found} == {2_000}
