"""Which order redeemed which offer, and what came off for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from rekindle.ledger import CodeHolder
from rekindle.worker.redeeming import match_orders

GIVEN = datetime(2026, 3, 2, 9, tzinfo=UTC)
BOUGHT = GIVEN + timedelta(days=1)


def order(number: str, discount: str | None) -> dict[str, Any]:
    told = None if discount is None else Decimal(discount)
    return {"source": "shop", "order_id": number, "customer_id": "ada", "ordered_at": BOUGHT,
            "discount": told}  # fmt: skip


def holder(touch: int) -> CodeHolder:
    return CodeHolder(touch, "ada", GIVEN, is_shared=False)


def test_what_came_off_an_order_of_several_codes_is_counted_once() -> None:
    holders = {"a": [holder(1)], "b": [holder(2)], "c": [holder(3)]}
    found = match_orders([(order("1", "20"), ["a", "b", "c", "foreign"])], holders)
    assert sorted(found) == [1, 2, 3]
    assert sum(one.discount_micros for one in found.values()) == 20_000_000
    assert {one.discount_micros for one in found.values()} == {6_666_666, 6_666_667}


def test_a_code_typed_twice_is_redeemed_once() -> None:
    orders = [(order("1", "20"), ["a", "a"]), (order("2", "9"), ["a", "b"])]
    found = match_orders(orders, {"a": [holder(1)], "b": [holder(2)]})
    assert {touch: (one.order, one.discount_micros) for touch, one in found.items()} == {
        1: ("1", 20_000_000),
        2: ("2", 9_000_000),
    }


def test_an_order_that_says_no_discount_took_none_off() -> None:
    found = match_orders([(order("1", None), ["a"])], {"a": [holder(1)]})
    assert found[1].discount_micros == 0
