"""Rows in another currency are taken where a rate is stated, and kept as they were told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from rekindle.errors import LakeError
from rekindle.facts import open_lake
from tests.facts.conftest import ORDERS, Desk

RATES = {"EUR": Decimal("0.86"), "USD": Decimal("0.5"), "JPY": Decimal("0.005")}
HEAD = "id,who,at,total,cur,off,back,back_at,state\n"
COLUMNS = {
    "currency": "cur",
    "discount": "off",
    "refund": "back",
    "refunded_at": "back_at",
    "status": "state",
}
LINES = "id,who,at,sku,qty,price,cur\n"


@pytest.fixture
def abroad(desk: Desk) -> Desk:
    desk.rates = dict(RATES)
    return desk


def only(desk: Desk, table: str = "orders") -> dict[str, Any]:
    (row,) = desk.rows(table)
    return row


@pytest.mark.long
def test_an_order_in_another_currency_is_worth_what_the_rate_says(abroad: Desk) -> None:
    result = abroad.orders(f"{HEAD}1,ann,2024-01-01,100,eur,10,5,2024-02-01,\n", columns=COLUMNS)
    assert result.is_clean
    order = only(abroad)
    assert (order["gross"], order["discount"], order["refund"], order["currency"]) == (
        Decimal(86),
        Decimal("8.6"),
        Decimal("4.3"),
        "EUR",
    )


@pytest.mark.long
def test_what_is_kept_is_what_was_told(abroad: Desk) -> None:
    """So a rate that is corrected needs no import, and leaves nothing at the old one."""
    abroad.orders(f"{HEAD}1,ann,2024-01-01,100,EUR,,,,\n", columns=COLUMNS)
    abroad.rates["EUR"] = Decimal("0.9")
    assert only(abroad)["gross"] == 90
    again = abroad.bring()[0]
    assert (again.added, again.changed) == (0, 0)


@pytest.mark.long
def test_a_currency_without_a_rate_is_set_aside_with_what_to_state(abroad: Desk) -> None:
    text = f"{HEAD}1,ann,2024-01-01,5,EUR,,,,\n2,bob,2024-01-01,5,CHF,,,,\n"
    result = abroad.orders(text, columns=COLUMNS)
    assert result.reasons == {"other_currency": 1}
    assert "CHF" in result.examples[0]
    assert "[facts.rates]" in result.examples[0]
    abroad.rates["CHF"] = Decimal("0.88")
    assert abroad.bring()[0].is_clean
    assert len(abroad.rows("orders")) == 2


def test_a_rate_that_is_taken_away_is_missed_by_name(abroad: Desk) -> None:
    abroad.orders(f"{HEAD}1,ann,2024-01-01,5,USD,,,,\n", columns=COLUMNS)
    engine = open_lake(abroad.lake.folder, currency="GBP", zone="UTC")
    with pytest.raises(LakeError, match=r"orders in USD.*what one USD is worth"):
        engine.facts()
    engine.close()


def test_lines_are_in_the_currency_of_their_order(abroad: Desk) -> None:
    text = (
        f"{LINES}1,ann,2024-01-01,p,2,500,JPY\n1,ann,2024-01-01,q,1,200,\n2,bob,2024-01-01,p,1,3,\n"
    )
    assert abroad.lines(text, columns={"currency": "cur"}).is_clean
    assert [order["gross"] for order in abroad.rows("orders")] == [6, 3]
    lines = {(row["order_id"], row["product_id"]): row for row in abroad.rows("order_lines")}
    assert lines["1", "p"]["amount"] == 5
    assert lines["1", "p"]["unit_price"] == Decimal("2.5")
    assert lines["1", "p"]["quantity"] == 2
    assert lines["2", "p"]["amount"] == 3


def test_an_order_of_two_currencies_comes_to_no_sum(abroad: Desk) -> None:
    text = f"{LINES}1,ann,2024-01-01,p,1,5,EUR\n1,ann,2024-01-01,q,1,5,USD\n"
    text += "2,bob,2024-01-01,p,1,5,EUR\n"
    result = abroad.lines(text, columns={"currency": "cur"})
    assert result.reasons == {"conflicting_currency": 2}
    assert "EUR and USD" in result.examples[0]
    assert only(abroad)["order_id"] == "2"


def test_a_refund_under_the_number_of_a_sale_in_another_currency_is_set_aside(abroad: Desk) -> None:
    text = f"{HEAD}1,ann,2024-01-01,5,EUR,,,,\n1,ann,2024-01-02,-5,GBP,,,,\n"
    result = abroad.orders(text, columns=COLUMNS)
    assert result.reasons == {"conflicting_currency": 2}


@pytest.mark.long
def test_what_was_given_back_in_steps_is_at_the_rate_of_its_order(abroad: Desk) -> None:
    text = f"{LINES}1,ann,2024-01-01,p,1,100,USD\n1,ann,2024-02-01,p,-1,20,USD\n"
    text += "1,ann,2024-03-01,p,-1,30,USD\n"
    abroad.lines(text, columns={"currency": "cur"})
    assert only(abroad)["refund"] == 25
    engine = open_lake(abroad.lake.folder, currency="GBP", zone="UTC", rates=RATES)
    steps = engine.facts().refund_steps
    assert steps is not None
    assert engine.run(steps)["given"].to_pylist() == [Decimal(10)]
    engine.close()


def test_a_refund_of_before_a_currency_was_corrected_is_no_step(abroad: Desk) -> None:
    columns = {"refund": "back"}
    abroad.orders("id,who,at,total,back,cur\n1,ann,2024-01-01,9,2,GBP\n", columns=columns)
    corrected = "id,who,at,total,back,cur\n1,ann,2024-01-01,9,4,EUR\n"
    abroad.orders(corrected, columns={**columns, "currency": "cur"})
    assert "refunds" not in abroad.lake.versions()


def test_an_amount_that_names_another_currency_than_its_row_is_set_aside(abroad: Desk) -> None:
    text = f"{HEAD}1,ann,2024-01-01,EUR 5,EUR,,,,\n2,ann,2024-01-02,USD 5,EUR,,,,\n"
    result = abroad.orders(text, columns=COLUMNS)
    assert result.reasons == {"other_currency": 1}
    assert "gross is in USD, the row in EUR" in result.examples[0]


def test_a_file_in_one_other_currency_says_so_once(abroad: Desk) -> None:
    abroad.write("orders.csv", "id,who,at,total\n1,ann,2024-01-01,100\n")
    assert abroad.bring(ORDERS, columns={"currency": "every row: EUR"})[0].is_clean
    assert only(abroad)["gross"] == 86


@pytest.mark.long
def test_an_amount_too_large_to_reckon_with_at_its_rate_is_set_aside(desk: Desk) -> None:
    desk.rates = {"KWD": Decimal(9_999_999)}
    text = f"{HEAD}1,ann,2024-01-01,99999999999,KWD,,,,\n2,ann,2024-01-01,9999,KWD,,,,\n"
    assert desk.orders(text, columns=COLUMNS).reasons == {"too_large": 1}
    assert only(desk)["gross"] == 9999 * 9_999_999


@pytest.mark.long
@pytest.mark.parametrize("table", ["subscriptions", "payments"])
def test_what_subscribers_pay_is_restated_too(abroad: Desk, table: str) -> None:
    abroad.write("paid.csv", "id,who,at,how,sum,cur\n1,ann,2024-01-01,paid,1000,jpy\n")
    columns = {"customer_id": "who", "amount": "sum", "currency": "cur"}
    columns |= (
        {"subscription_id": "id", "started_at": "at"}
        if table == "subscriptions"
        else {"payment_id": "id", "attempted_at": "at", "outcome": "how"}
    )
    source = {"name": "billing", "table": table, "path": "paid.csv", "columns": columns}
    assert abroad.bring(source)[0].is_clean
    assert only(abroad, table)["amount"] == 5


def test_minor_units_are_those_of_the_currency_a_row_names(abroad: Desk) -> None:
    abroad.rates["KWD"] = Decimal(2)
    text = "id,who,at,total,cur\n1,a,2024-01-01,1250,usd\n2,b,2024-01-01,1250,JPY\n"
    text += "3,c,2024-01-01,1250,KWD\n4,d,2024-01-01,1250,\n"
    result = abroad.orders(text, columns={"currency": "cur"}, formats={"gross": "minor units"})
    assert result.is_clean
    assert {row["order_id"]: str(row["gross"]) for row in abroad.rows("orders")} == {
        "1": "6.2500",  # 12.50 dollars at 0.5
        "2": "6.2500",  # 1250 yen at 0.005
        "3": "2.5000",  # 1.250 dinars at 2
        "4": "12.5000",
    }


def test_an_import_says_which_rates_were_used(abroad: Desk) -> None:
    text = f"{HEAD}1,ann,2024-01-01,5,EUR,,,,\n2,ann,2024-01-02,5,eur,,,,\n3,a,2024-01-02,5,,,,,\n"
    (note,) = abroad.orders(text, columns=COLUMNS).notes
    assert note.endswith("2 rows in EUR, of which one is worth 0.86 GBP")
