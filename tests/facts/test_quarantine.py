"""A bad row never stops an import and is never lost."""

from __future__ import annotations

import pytest

from tests.facts.conftest import ORDERS, Desk

HEAD = "id,who,at,total\n"


@pytest.mark.draws(5)
@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2,ann,31/31/2024,5", "bad_ordered_at"),
        ("2,ann,soon,5", "bad_ordered_at"),
        ("2,ann,,5", "missing_ordered_at"),
        (",ann,2024-01-02,5", "missing_order_id"),
        ("2,ann,2024-01-02,five", "bad_gross"),
        ("2,ann,2024-01-02,", "missing_gross"),
        ("2,ann,2024-01-02,12abc", "bad_gross"),
        ("2,ann,2024-01-02,99999999999999999", "bad_gross"),
        ("2,ann,-infinity,5", "bad_ordered_at"),
        ("2,ann,0024-01-02,5", "bad_ordered_at"),
        ("2,ann,2024-01-02,99999999999999", "too_large"),
        ("2,ann,2031-01-02,5", "in_the_future"),
        ("2,ann,2024-01-02,5,6,7", "not_a_row"),
        ("Total,,2024-01-02,5", "sum_row"),
        ("Summe,,,5", "sum_row"),
        ("2,ann,2024-01-02,EUR 5", "other_currency"),
    ],
)
def test_a_bad_row_is_set_aside_with_reason_and_line(desk: Desk, row: str, reason: str) -> None:
    result = desk.orders(f"{HEAD}1,ann,2024-01-01,5\n{row}\n3,bob,2024-01-03,7\n")
    assert (result.read, result.quarantined, result.reasons) == (3, 1, {reason: 1})
    assert [o["order_id"] for o in desk.rows("orders")] == ["1", "3"]
    (kept,) = desk.rows("quarantine")
    assert (kept["file"], kept["line"], kept["reason"]) == ("orders.csv", 3, reason)
    assert kept["detail"]


def test_the_row_as_it_was_read_is_kept(desk: Desk) -> None:
    desk.orders(f"{HEAD}2,ann,soon,5\n")
    assert desk.rows("quarantine")[0]["record"] == (
        '{"id":"2","who":"ann","at":"soon","total":"5"}'
    )


def test_lines_are_counted_right_after_rows_that_could_not_be_split(desk: Desk) -> None:
    desk.orders(f"{HEAD}1,a,2024-01-01,5\nx,y,z,1,2,3\n2,a,2024-01-02,5\nq,r,s,1,2,3\n3,a,no,5\n")
    places = {(row["line"], row["reason"]) for row in desk.rows("quarantine")}
    assert places == {(3, "not_a_row"), (5, "not_a_row"), (6, "bad_ordered_at")}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('1,"ann\nb",2024-01-01,5\n2,a,no,5\n', 4),
        ('1,"ann\r\nb",2024-01-01,5\r\n2,a,no,5\r\n', 4),
        ("\n\n1,ann,2024-01-01,5\n\n2,a,no,5\n", 6),
        ('1,"ann\nb",2024-01-01,5\n\nq,r\n2,a,no,5\n', 6),
        ("1,ann,2024-01-01,5\r\n2,a,no,5\n", 3),
    ],
)
def test_lines_are_counted_as_an_editor_counts_them(desk: Desk, text: str, line: int) -> None:
    desk.orders(HEAD + text)
    assert {r["line"] for r in desk.rows("quarantine") if r["reason"] == "bad_ordered_at"} == {line}


@pytest.mark.long
def test_a_quote_that_is_never_closed_spoils_only_what_follows_it(desk: Desk) -> None:
    result = desk.orders(f'{HEAD}1,ann,2024-01-01,5\n2,"bob,2024-01-01,5\n3,cem,2024-01-01,5\n')
    assert result.reasons == {"not_a_row": 1}
    (kept,) = desk.rows("quarantine")
    assert kept["line"] == 3
    assert "3,cem" in kept["record"]
    assert [o["order_id"] for o in desk.rows("orders")] == ["1"]


def test_a_line_too_large_to_reckon_with_is_set_aside(desk: Desk) -> None:
    result = desk.lines(
        "id,who,at,sku,qty,price\n1,ann,2024-01-01,p,9999999,9999999\n2,ann,2024-01-01,p,1,5\n"
    )
    assert result.reasons == {"too_large": 1}


def test_a_point_is_no_decimal_mark_where_the_comma_is(desk: Desk) -> None:
    result = desk.orders(f"{HEAD}1,ann,2024-01-01,12.50\n", decimal_comma=True)
    assert result.reasons == {"bad_gross": 1}


def test_another_currency_is_not_mixed_in(desk: Desk) -> None:
    text = "id,who,at,total,cur\n1,ann,2024-01-01,5,GBP\n2,ann,2024-01-02,5,usd\n"
    result = desk.orders(text, columns={"currency": "cur"})
    assert result.reasons == {"other_currency": 1}
    assert "USD" in result.examples[0]
    assert [o["currency"] for o in desk.rows("orders")] == ["GBP"]


def test_of_two_orders_with_one_number_neither_is_guessed(desk: Desk) -> None:
    result = desk.orders(f"{HEAD}1,ann,2024-01-01,5\n1,ann,2024-01-01,6\n2,bob,2024-01-01,1\n")
    assert result.reasons == {"conflicting_order_id": 2}
    assert "more than once with different content" in result.examples[0]
    assert [o["order_id"] for o in desk.rows("orders")] == ["2"]


def test_the_same_row_twice_is_one_order(desk: Desk) -> None:
    result = desk.orders(f"{HEAD}1,ann,2024-01-01,5\n1,ann,2024-01-01,5\n")
    assert result.is_clean
    assert len(desk.rows("orders")) == 1


def test_an_order_of_two_customers_belongs_to_nobody(desk: Desk) -> None:
    result = desk.lines(
        "id,who,at,sku,qty,price\n1,ann,2024-01-01,p,1,5\n1,bob,2024-01-01,q,1,5\n"
        "2,bob,2024-01-01,q,1,5\n"
    )
    assert result.reasons == {"conflicting_customer": 2}
    assert [o["order_id"] for o in desk.rows("orders")] == ["2"]


@pytest.mark.long
def test_a_customer_with_two_addresses_gets_no_card(desk: Desk) -> None:
    text = (
        "id,who,at,total,mail\n1,ann,2024-01-01,5,a@x.example\n2,ann,2024-01-02,5,b@x.example\n"
        "3,bob,2024-01-02,5,bob@x.example\n"
    )
    result = desk.orders(text, columns={"email": "mail"})
    assert result.reasons == {"two_addresses": 1}
    assert "a@x.example" in result.examples[0]
    assert "b@x.example" in result.examples[0]
    assert len(desk.rows("orders")) == 3
    assert [c["customer_id"] for c in desk.rows("customers")] == ["bob"]


def test_two_cards_of_one_customer_that_differ_are_set_aside(desk: Desk) -> None:
    desk.write("c.csv", "id,mail\nann,a@x.example\nann,b@x.example\nbob,bob@x.example\n")
    source = {"name": "crm", "table": "customers", "path": "c.csv"}
    (result,) = desk.bring({**source, "columns": {"customer_id": "id", "email": "mail"}})
    assert result.reasons == {"conflicting_customer_id": 2}
    assert [c["customer_id"] for c in desk.rows("customers")] == ["bob"]


@pytest.mark.long
def test_a_mended_file_leaves_quarantine(desk: Desk) -> None:
    desk.orders(f"{HEAD}1,ann,soon,5\n")
    assert desk.orders(f"{HEAD}1,ann,2024-01-01,5\n").is_clean
    assert desk.rows("quarantine") == []
    assert len(desk.rows("orders")) == 1


@pytest.mark.long
def test_quarantine_of_one_file_leaves_that_of_others_alone(desk: Desk) -> None:
    desk.write("a.csv", f"{HEAD}1,ann,soon,5\n")
    desk.write("b.csv", f"{HEAD}2,ann,later,5\n")
    desk.bring(ORDERS, path="?.csv")
    desk.write("a.csv", f"{HEAD}1,ann,2024-01-01,5\n")
    desk.bring()
    assert [row["file"] for row in desk.rows("quarantine")] == ["b.csv"]


def test_a_line_that_is_no_json_is_set_aside(desk: Desk) -> None:
    desk.write(
        "o.jsonl",
        '{"id": 1, "who": {"id": "ann"}, "at": "2024-01-01", "total": 5}\nnot json\n[1]\n',
    )
    (result,) = desk.bring(ORDERS, path="o.jsonl", columns={"customer_id": "who.id"})
    assert result.reasons == {"not_a_row": 2}
    assert desk.rows("orders")[0]["customer_id"] == "ann"
    assert {row["line"] for row in desk.rows("quarantine")} == {2, 3}
    assert {row["record"] for row in desk.rows("quarantine")} == {"not json", "[1]"}


def test_a_blank_line_is_no_row(desk: Desk) -> None:
    desk.write("o.jsonl", '{"id": 1, "who": "ann", "at": "2024-01-01", "total": 5}\n\n')
    (result,) = desk.bring(ORDERS, path="o.jsonl")
    assert (result.read, result.quarantined) == (1, 0)


@pytest.mark.long
@pytest.mark.parametrize("name", ["A\\u0000nn", "A\\ud800nn", "A\\uDC00nn"])
def test_a_nul_or_half_a_character_spoils_only_its_own_row(desk: Desk, name: str) -> None:
    desk.write(
        "c.jsonl",
        f'{{"id": "ann", "name": "{name}", "ok": "no"}}\n'
        '{"id": "bob", "name": "Bob \\ud83d\\ude00", "ok": "yes"}\n',
    )
    columns = {"customer_id": "id", "first_name": "name", "email_consent": "ok"}
    source = {"name": "crm", "table": "customers", "path": "c.jsonl", "columns": columns}
    (result,) = desk.bring(source)
    assert result.reasons == {"bad_text": 1}
    assert [card["first_name"] for card in desk.rows("customers")] == ["Bob \U0001f600"]
    said = {row["customer_id"]: row["said"] for row in desk.rows("permissions")}
    assert said == {"ann": "no", "bob": "yes"}


def test_a_nul_in_a_text_file_spoils_only_its_own_row(desk: Desk) -> None:
    rows = "".join(f"{n},ann,2024-01-01,5\r\n" for n in range(10))
    result = desk.orders(f"{HEAD}{rows}x,a\0b,2024-01-01,5\n")
    assert result.reasons == {"bad_text": 1}
    assert len(desk.rows("orders")) == 10
