"""Rows of one number are one order: told once, refused whole, a sale beside its refund."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.facts.conftest import Desk

SHOP = {
    "columns": {
        "status": "state",
        "discount": "off",
        "refund": "back",
        "refunded_at": "back_at",
        "cancelled_at": "gone_at",
        "currency": "cur",
    }
}
HEAD = "id,who,at,cur,state,off,back,back_at,gone_at,sku,qty,price\n"
FIRST = "1,ann,2024-01-01,GBP,paid,3,,,,p,1,10\n"
AMOUNTS = {
    "name": "till",
    "table": "order_lines",
    "path": "lines.csv",
    "columns": {"order_id": "id", "customer_id": "who", "ordered_at": "at", "amount": "sum"},
}


def only(desk: Desk) -> dict[str, Any]:
    (order,) = desk.rows("orders")
    return order


@pytest.mark.draws(5)
@pytest.mark.parametrize(
    ("rows", "kind", "gross", "discount", "refund"),
    [
        (FIRST + "1,,,,,,,,,q,2,10\n", "purchase", 30, 3, 0),
        (FIRST + FIRST.replace("p,1", "q,2"), "purchase", 30, 3, 0),
        ("1,ann,2024-01-01,GBP,voided,,,,,p,1,10\n1,,,,,,,,,q,2,10\n", "cancelled", 0, 0, 0),
        ("1,ann,2024-01-01,GBP,pending,,,,,p,1,10\n1,,,,,,,,,q,2,10\n", "pending", 0, 0, 0),
        ("1,ann,2024-01-01,GBP,paid,,,,2024-01-02,p,1,10\n", "cancelled", 0, 0, 0),
        (
            "1,ann,2024-01-01,GBP,paid,,4,2024-01-03,,p,1,10\n1,,,,,,,,,q,2,10\n",
            "purchase",
            30,
            0,
            4,
        ),
        # What was given back with postage takes off no more than the goods cost.
        ("1,ann,2024-01-01,GBP,refunded,3,35,,,p,1,10\n1,,,,,,,,,q,2,10\n", "purchase", 30, 3, 27),
        # Refunded, and nobody says how much: all of it.
        ("1,ann,2024-01-01,GBP,refunded,3,,,,p,1,10\n1,,,,,,,,,q,2,10\n", "purchase", 30, 3, 27),
        # Money that differs between rows is of its row, and given back with the last of them.
        (
            "1,ann,2024-01-01,GBP,paid,1,5,2024-01-03,,p,1,20\n"
            "1,ann,2024-01-01,GBP,paid,2,7,2024-01-05,,q,2,10\n",
            "purchase",
            40,
            3,
            12,
        ),
        (
            "1,ann,2024-01-01,GBP,paid,,0,,,p,1,20\n"
            "1,ann,2024-01-01,GBP,paid,3,9,2024-01-05,,q,2,10\n",
            "purchase",
            40,
            3,
            9,
        ),
        # Rows in different states: each is of its line.
        (
            "1,ann,2024-01-01,GBP,shipped,,,,,p,1,10\n1,ann,2024-01-01,GBP,cancelled,,,,,q,2,10\n",
            "purchase",
            10,
            0,
            0,
        ),
        (
            "1,ann,2024-01-01,GBP,refunded,,,,,p,1,10\n1,ann,2024-01-01,GBP,shipped,,,,,q,2,10\n",
            "purchase",
            30,
            0,
            10,
        ),
        (
            "1,ann,2024-01-01,GBP,shipped,,,,,p,1,10\n1,ann,2024-01-01,,,,,,2024-01-02,q,2,10\n",
            "purchase",
            30,
            0,
            0,
        ),
        # A line of none has no price.
        (
            "1,ann,2024-01-01,GBP,shipped,,,,,p,1,10\n1,ann,2024-01-01,,,,,,,q,0,\n",
            "purchase",
            10,
            0,
            0,
        ),
        # The order's own row, then its lines.
        ("1,ann,2024-01-01,GBP,paid,3,,,,,,\n1,,,,,,,,,q,2,10\n", "purchase", 20, 3, 0),
    ],
)
def test_what_is_said_of_an_order_counts_once(
    desk: Desk, rows: str, kind: str, gross: int, discount: int, refund: int
) -> None:
    assert desk.lines(HEAD + rows, **SHOP).is_clean
    order = only(desk)
    assert (order["kind"], order["customer_id"]) == (kind, "ann")
    assert (order["gross"], order["discount"], order["refund"]) == (gross, discount, refund)


def test_discounts_of_lines_are_added_up(desk: Desk) -> None:
    text = "id,who,at,sku,qty,price,less\n1,ann,2024-01-01,p,1,10,1\n1,ann,2024-01-01,q,1,10,2\n"
    desk.lines(text, columns={"line_discount": "less"})
    assert (only(desk)["gross"], only(desk)["discount"]) == (20, 3)


@pytest.mark.long
@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("1,,,,,,,,,q,2,lots\n", "bad_unit_price"),
        ("1,,,USD,,,,,,q,2,10\n", "other_currency"),
        ("1,,soon,,,,,,,q,2,10\n", "bad_ordered_at"),
    ],
)
def test_one_refused_row_refuses_its_order_whole(desk: Desk, bad: str, reason: str) -> None:
    other = "2,bob,2024-01-01,GBP,paid,,,,,p,1,5\n"
    result = desk.lines(HEAD + FIRST + bad + other, **SHOP)
    assert result.reasons == {reason: 1, "rest_of_order": 1}
    assert only(desk)["order_id"] == "2"
    assert {row["line"] for row in desk.rows("quarantine")} == {2, 3}


def test_a_currency_that_only_the_first_row_names_is_of_all(desk: Desk) -> None:
    result = desk.lines(HEAD + FIRST.replace("GBP", "USD") + "1,,,,,,,,,q,2,10\n", **SHOP)
    assert result.reasons == {"other_currency": 2}


@pytest.mark.long
def test_lines_without_a_price_come_to_what_the_file_says(desk: Desk) -> None:
    text = "id,who,at,sku,qty,sum\n1,ann,2024-01-01,p,3,10.00\n1,ann,2024-01-01,q,0,0\n"
    text += "1,ann,2024-01-01,r,-1,4\n1,ann,2024-01-01,s,0,2\n"
    desk.write("lines.csv", text)
    desk.bring(AMOUNTS, columns={"product_id": "sku", "quantity": "qty"})
    assert (only(desk)["gross"], only(desk)["refund"]) == (12, 4)
    amounts = [(row["amount"], row["unit_price"]) for row in desk.rows("order_lines")]
    assert sorted(amounts) == [
        (Decimal(-4), Decimal(4)),
        (Decimal(0), Decimal(0)),
        (Decimal(2), Decimal(2)),
        (Decimal(10), Decimal("3.3333")),
    ]


def test_a_file_without_quantities_has_one_a_line(desk: Desk) -> None:
    desk.write("lines.csv", "id,who,at,sku,sum\n1,ann,2024-01-01,p,10\n1,ann,2024-01-01,q,5\n")
    desk.bring(AMOUNTS, columns={"product_id": "sku"})
    assert only(desk)["gross"] == 15
    assert {row["quantity"] for row in desk.rows("order_lines")} == {Decimal(1)}


@pytest.mark.draws(3)
@pytest.mark.parametrize(
    ("rows", "gross", "refund", "day"),
    [
        ("1,ann,2024-01-01,50,\n1,ann,2024-01-09,-20,\n", 50, 20, 9),
        ("1,,2024-01-09,-20,\n1,ann,2024-01-01,50,\n", 50, 20, 9),
        ("1,ann,2024-01-01,50,Sale\n1,ann,2024-01-09,20,Refund\n", 50, 20, 9),
        ("1,ann,2024-01-01,50,Completed\n1,ann,2024-01-09,50,Refunded\n", 50, 50, 9),
        ("1,ann,2024-01-01,50,\n1,ann,2024-01-05,-20,\n1,ann,2024-01-09,-5,\n", 50, 25, 9),
        # A row that continues its order says nothing anew.
        ("1,ann,2024-01-01,50,paid\n1,,,,\n", 50, 0, None),
        ("1,ann,2024-01-01,50,Refund\n", 50, 50, None),
    ],
)
def test_a_sale_and_what_was_given_back_under_one_number_are_both_taken(
    desk: Desk, rows: str, gross: int, refund: int, day: int | None
) -> None:
    result = desk.orders("id,who,at,total,type\n" + rows, columns={"status": "type"})
    assert result.is_clean
    order = only(desk)
    assert (order["kind"], order["ordered_on"].day) == ("purchase", 1)
    assert (order["gross"], order["refund"]) == (gross, refund)
    assert day == (order["refunded_at"] and order["refunded_at"].day)


def test_a_sale_and_a_refund_of_two_people_are_nobodys(desk: Desk) -> None:
    rows = "1,ann,2024-01-01,50\n1,bob,2024-01-09,-20\n"
    assert desk.orders("id,who,at,total\n" + rows).reasons == {"conflicting_customer": 2}


def test_parts_read_twice_change_nothing(desk: Desk) -> None:
    desk.orders("id,who,at,total\n1,ann,2024-01-01,50\n1,ann,2024-01-09,-20\n")
    again = desk.bring()[0]
    assert (again.added, again.changed) == (0, 0)
