"""An order is the fold of its events: placed, corrected, cancelled, given back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from rekindle.intake import KeptEvent, fold_order, list_currencies_told, read_amounts, read_lines

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
# The example of https://segment.com/docs/connections/spec/ecommerce/v2/#order-completed
EXAMPLE: dict[str, Any] = {
    "order_id": "50314b8e9bcf000000000000",
    "total": 27.50,
    "subtotal": 22.50,
    "revenue": 25.00,
    "shipping": 3,
    "tax": 2,
    "discount": 2.5,
    "currency": "USD",
}


def told(name: str, hour: int = 0, **content: Any) -> KeptEvent:
    return KeptEvent(f"order_{name}", "ada", NOON + timedelta(hours=hour), content)


def money(row: dict[str, Any] | None) -> tuple[float, float, float]:
    assert row is not None
    return float(row["gross"]), float(row["discount"]), float(row["refund"])


@pytest.mark.parametrize("left_out", [(), ("revenue",), ("revenue", "subtotal")])
def test_the_goods_come_to_the_same_whichever_total_is_given(left_out: tuple[str, ...]) -> None:
    content = {key: value for key, value in EXAMPLE.items() if key not in left_out}
    amounts = read_amounts(content)
    assert (amounts.gross, amounts.discount) == (Decimal(25), Decimal("2.5"))


def test_without_a_total_the_products_are_added_up() -> None:
    products = [{"price": 19, "quantity": 1}, {"price": "3", "quantity": 2}, "no product"]
    assert read_amounts({"products": products}).gross == 25


@pytest.mark.parametrize("amount", ["much", True, [], "NaN", "1e400", float("1e12")])
def test_an_amount_that_is_none_is_refused(amount: object) -> None:
    with pytest.raises(ValueError, match="total"):
        read_amounts({"total": amount})


def test_a_correction_replaces_the_amounts_and_keeps_the_day() -> None:
    row = fold_order("1", [told("completed", revenue=25), told("updated", 5, revenue=20)])
    assert money(row) == (20, 0, 0)
    assert row is not None
    assert row["ordered_at"] == NOON.isoformat()


def test_an_update_changes_only_what_it_names() -> None:
    placed = told("completed", total=30, shipping=5, discount=2, currency="GBP")
    row = fold_order("1", [placed, told("updated", 1, note="gift")])
    assert money(row) == (27, 2, 0)
    row = fold_order("1", [placed, told("updated", 1, revenue=20), told("updated", 2, tax=9)])
    assert money(row) == (20, 2, 0)
    row = fold_order("1", [placed, told("updated", 1, products=[{"price": 4, "quantity": 2}])])
    assert money(row) == (8, 2, 0)
    assert row is not None
    assert row["currency"] == "GBP"


def test_an_update_of_an_order_from_a_file_changes_only_what_it_names() -> None:
    held = {
        "customer_id": "bob",
        "ordered_at": "2026-01-01T00:00:00+00:00",
        "kind": "purchase",
        "gross": "50",
        "discount": "5",
        "refund": "1",
    }
    update = KeptEvent("order_updated", None, NOON, {"note": "gift"})
    row = fold_order("1", [update], held)
    assert money(row) == (50, 5, 1)
    assert row is not None
    assert (row["customer_id"], row["ordered_at"]) == ("bob", held["ordered_at"])
    assert money(fold_order("1", [told("updated", discount=7)], held)) == (50, 7, 1)
    assert money(fold_order("1", [told("updated", total=20)], held))[0] == 20
    row = fold_order("1", [told("cancelled")], held)
    assert row is not None
    assert (row["ordered_at"], row["status"]) == (held["ordered_at"], "cancelled")
    assert fold_order("1", [told("updated", note="gift")]) is None


def test_refunds_add_up_and_never_exceed_what_was_paid() -> None:
    bought = told("completed", revenue=25, discount=5)
    row = fold_order("1", [bought, told("refunded", 1, total=8), told("refunded", 2, total=9)])
    assert money(row) == (25, 5, 17)
    row = fold_order("1", [bought, told("refunded", 1, total=24)])  # shipping came back too
    assert money(row) == (25, 5, 20)


def test_a_refund_without_an_amount_gives_back_the_whole_order() -> None:
    assert money(fold_order("1", [told("completed", revenue=25), told("refunded", 1)]))[2] == 25


def test_a_cancelled_order_says_so() -> None:
    row = fold_order("1", [told("completed", revenue=25), told("cancelled", 1)])
    assert row is not None
    assert row["status"] == "cancelled"


@pytest.mark.parametrize(("hour", "status"), [(2, "cancelled"), (-2, "completed")])
def test_a_restored_ledger_takes_no_cancellation_back(hour: int, status: str) -> None:
    """The event that cancelled it is lost, and the facts know of it."""
    at = (NOON + timedelta(hours=hour)).isoformat()
    held = {"kind": "cancelled", "cancelled_at": at, "sold_gross": "25", "gross": "0"}
    row = fold_order("1", [told("completed", revenue=25)], held)
    assert row is not None
    assert (row["status"], row.get("cancelled_at")) == (status, at if hour > 0 else None)


def test_an_order_that_is_completed_after_it_was_cancelled_stands() -> None:
    events = [told("completed", revenue=25), told("cancelled", 1), told("completed", 2, revenue=25)]
    for some in permutations(events):
        row = fold_order("1", some)
        assert row is not None
        assert (row["status"], row.get("cancelled_at")) == ("completed", None)
    row = fold_order("1", [*events, told("updated", 3, note="gift"), told("cancelled", 4)])
    assert row is not None
    assert row["status"] == "cancelled"
    assert row["cancelled_at"] == (NOON + timedelta(hours=4)).isoformat()


@pytest.mark.parametrize("nothing", [0, "0.00"])
def test_a_refund_of_nothing_gives_nothing_back(nothing: object) -> None:
    row = fold_order("1", [told("completed", revenue=25), told("refunded", 1, amount=nothing)])
    assert money(row)[2] == 0


def test_a_refund_of_an_order_nobody_told_of_is_a_row_of_its_own() -> None:
    row = fold_order("1", [told("refunded", total=8)])
    assert row is not None
    assert row["order_id"] == "1/refund"
    assert money(row) == (0, 0, 8)
    assert fold_order("1", [told("refunded")]) is None


@pytest.mark.parametrize(
    ("said", "kind", "given"),
    [
        ({}, "purchase", 40),
        ({"total": 8}, "purchase", 8),
        ({"total": 99}, "purchase", 40),
        ({}, "cancelled", None),
    ],
)
def test_a_refund_of_an_order_from_a_file_gives_back_what_is_left_of_it(
    said: dict[str, Any], kind: str, given: int | None
) -> None:
    held = {"kind": kind, "gross": "50", "discount": "5", "refund": "5", "customer_id": "ada"}
    row = fold_order("1", [told("refunded", **said)], held)
    if given is None:
        assert row is None
        return
    assert row is not None
    assert (row["order_id"], row["customer_id"]) == ("1/refund", "ada")
    assert money(row) == (0, 0, given)


def test_the_order_of_arrival_does_not_matter() -> None:
    events = [
        told("completed", revenue=25),
        told("updated", 1, revenue=20),
        told("refunded", 2, total=8),
    ]
    rows = [fold_order("1", arrived) for arrived in permutations(events)]
    assert all(row == rows[0] for row in rows)


def test_lines_are_the_products() -> None:
    product = {"sku": "G-32", "name": "Monopoly", "category": "Games", "price": 19, "quantity": 2}
    (line,) = read_lines({"products": [product]})
    assert line == {
        "product_id": "G-32",
        "description": "Monopoly",
        "category": "Games",
        "quantity": "2",
        "unit_price": "19",
    }


def test_an_order_from_a_file_stays_in_the_currency_it_was_told_in() -> None:
    held = {"kind": "purchase", "gross": "50", "discount": "5", "refund": "0", "currency": "EUR"}
    row = fold_order("1", [told("updated", note="gift")], held)
    assert row is not None
    assert row["currency"] == "EUR"
    row = fold_order("1", [told("cancelled", currency="USD", total=5)], held)
    assert row is not None
    assert row["currency"] == "USD"


@pytest.mark.parametrize(
    ("refunds", "currencies"),
    [((), ["EUR"]), (("eur", None), ["EUR"]), (("GBP",), ["EUR", "GBP"]), ((None,), ["EUR"])],
)
def test_a_refund_in_another_currency_than_its_order_is_named(
    refunds: tuple[str | None, ...], currencies: list[str]
) -> None:
    events = [told("completed", revenue=25, currency="EUR")]
    events += [told("refunded", n, total=1, currency=one) for n, one in enumerate(refunds, 1)]
    row = fold_order("1", events)
    assert row is not None
    assert list_currencies_told(row, events, "USD") == currencies
    assert list_currencies_told({}, [], "USD") == ["USD"]
