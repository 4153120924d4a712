"""A proposal is tested by all rows of its file, and says what it does not know."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from rekindle.errors import SourceError
from rekindle.facts import Answers, Proposal, propose_source
from tests.facts.conftest import ORDERS, Desk

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HEAD = "order_id,customer_id,date,total"


def propose(desk: Desk, text: str, **more: object) -> Proposal:
    return propose_source(desk.write("o.csv", text), zone="UTC", now=NOW, **more)  # type: ignore[arg-type]


def taken(proposal: Proposal) -> dict[str, str]:
    return {one.name: one.column for one in proposal.columns}


def rows(*cells: str) -> str:
    return "".join(f"{n},c{n % 3},{cell}\n" for n, cell in enumerate(cells))


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        pytest.param(
            "order_id,customer_id,date,subtotal,discount,shipping,tax,total\n"
            "1,a,2024-01-02,100,10,5,9,104\n2,a,2024-01-03,50,0,5,5,60\n",
            {"gross": "subtotal", "discount": "discount"},
            "'subtotal' is taken as gross",
            id="a total after the discount",
        ),
        pytest.param(
            "order_id,customer_id,date,subtotal,discount,shipping,total\n"
            "1,a,2024-01-02,90,10,5,95\n",
            {"gross": "subtotal", "discount": None},
            "it is off 'subtotal' already",
            id="a subtotal after the discount",
        ),
        pytest.param(
            f"{HEAD},discount\n1,a,2024-01-02,90,10\n",
            {"gross": "total", "discount": None},
            "taken as what was paid",
            id="a total and nothing to add up",
        ),
        pytest.param(
            "order_id,customer_id,date,amount,discount\n1,a,2024-01-02,90,10\n",
            {"gross": "amount", "discount": "discount"},
            "taken as before the discount",
            id="an amount and nothing to add up",
        ),
        pytest.param(
            "order_id,customer_id,date,amount,discount\n1,a,2024-01-02,5,10\n",
            {"discount": None},
            "after the discount",
            id="a discount of more than was paid",
        ),
        pytest.param(
            "order_id,customer_id,date,amount,discount\n"
            "1,a,2024-01-02,100,0.2\n2,b,2024-01-03,50,0\n",
            {"discount": None},
            "shares, not amounts",
            id="a discount as a share",
        ),
        pytest.param(
            f"{HEAD},refunded\n1,a,2024-01-02,9,1\n2,b,2024-01-03,8,0\n",
            {"refund": None},
            "0 and 1 say whether",
            id="a refund of yes or no",
        ),
        pytest.param(
            "Invoice,Name,Email,Date,Total\nA-1,Ann Lee,a@x.example,2024-01-02,10\n",
            {"order_id": "Invoice", "customer_id": "Email"},
            "stands for it",
            id="a name is a person",
        ),
        pytest.param(
            "id,customer,email,date,total\n1,Ann Lee,a@x.example,2024-01-02,10\n",
            {"customer_id": "email"},
            "stands for it",
            id="a customer is a name",
        ),
        pytest.param(
            "Sales order,Buyer no,Purchase Date,Birth date,Order amount\n"
            "7,a1,2024-01-02,1980-01-02,10\n",
            {
                "order_id": "Sales order",
                "customer_id": "Buyer no",
                "ordered_at": "Purchase Date",
                "gross": "Order amount",
            },
            "'Purchase Date' is taken as ordered_at, by a part of its header",
            id="headers nobody knows",
        ),
        pytest.param(
            f"{HEAD},state\n1,a,2024-01-02,9,Ohio\n2,b,2024-01-02,9,Utah\n",
            {"status": None},
            "'state' is left out",
            id="a state of a country",
        ),
        pytest.param(
            f"{HEAD},status\n1,a,2024-01-02,9,paid\n2,b,2024-01-02,9,frobbed\n",
            {"status": "status"},
            "'frobbed' (1) is no state",
            id="a state nobody knows",
        ),
        pytest.param(
            f"{HEAD},Money returned\n1,a,2024-01-02,9,3\n",
            {"gross": "total"},
            "'Money returned' is left out",
            id="a lost column about money",
        ),
        pytest.param(
            f"{HEAD}\n1.2E+12,a,2024-01-02,9\n1.3E+12,b,2024-01-02,9\n",
            {},
            "a spreadsheet has cut 2 values",
            id="ids cut short",
        ),
        pytest.param(
            "order_id,customer_id,email,date,total\n"
            + "".join(f"{n},c{n},shop@x.example,2024-01-02,9\n" for n in range(4)),
            {},
            "shared by 4 customers",
            id="a shared address",
        ),
        pytest.param(
            "order_id,customer_id,date,quantity,item_price,sku\n"
            "1,a,2024-01-02,3,30,cup\n2,b,2024-01-03,1,10,cup\n",
            {"amount": "item_price"},
            "grows with the quantity",
            id="a price of the line, by other quantities",
        ),
        pytest.param(
            "order_id,customer_id,date,quantity,price,line total\n1,a,2024-01-02,3,10,30\n",
            {"unit_price": "price"},
            "dates without an offset",
            id="a price of one, by the total",
        ),
        pytest.param(
            "order_id,customer_id,date,quantity,price\n1,a,2024-01-02,3,30\n",
            {"unit_price": "price"},
            "as that of one",
            id="a price that could be either",
        ),
    ],
)
def test_the_rows_say_what_a_column_is(
    desk: Desk, text: str, column: dict[str, str | None], said: str
) -> None:
    proposal = propose(desk, text)
    found = taken(proposal)
    assert {name: found.get(name) for name in column} == column
    assert any(said in note for note in proposal.notes)


def test_why_a_column_is_taken_is_said_as_it_was_found(desk: Desk) -> None:
    proposal = propose(desk, "order_id,customer_id,Purchase Date,amount\n1,a,2024-01-02,9\n")
    why = {one.name: one.why for one in proposal.columns}
    assert why["ordered_at"] == "a part of its header"
    assert (why["order_id"], why["gross"]) == ("same name", "known header")


def test_two_of_five_broken_rows_are_named(desk: Desk) -> None:
    cells = ("2024-01-02,5", "soon,6", "2024-01-03,7", "later,8", "2024-01-05,9")
    proposal = propose(desk, f"{HEAD}\n{rows(*cells)}")
    assert taken(proposal)["ordered_at"] == "date"
    assert any("2 of 5 rows will be set aside, the first on line 3" in n for n in proposal.doubts)


def test_a_column_that_mostly_holds_something_else_is_named(desk: Desk) -> None:
    with pytest.raises(SourceError, match="'date' holds no dates, like 'later'"):
        propose(desk, f"{HEAD}\n{rows('soon,6', 'later,8')}")


@pytest.mark.parametrize(
    ("dates", "form", "is_sure"),
    [
        (["12/1/2024"] * 6_000 + ["12/13/2024"], "%m/%d/%Y", True),
        (["03/02/2024", "04/05/2024"], "%d/%m/%Y", False),
        # Nobody buys tomorrow: the first of these is a day of 2026 the other way round.
        (["11/12/2025", "02/01/2025"], "%d/%m/%Y", False),
        (["01/02/2026", "03/04/2025"], "%m/%d/%Y", True),
        ([f"{m}/{d}/2024" for m in (1, 2, 3) for d in (2, 5, 9)], "%m/%d/%Y", True),
        # That a few rows follow one another may be chance.
        (["1/2/2024", "1/3/2024", "2/1/2024", "2/4/2024", "3/2/2024"], "%m/%d/%Y", False),
    ],
)
def test_days_and_months_are_told_by_all_rows(
    desk: Desk, dates: list[str], form: str, is_sure: bool
) -> None:
    proposal = propose(desk, f"{HEAD}\n{rows(*(f'{one},5' for one in dates))}")
    assert proposal.settings["date_format"] == form
    assert is_sure == (not any("month/day" in note for note in proposal.doubts))


@pytest.mark.parametrize(
    ("amounts", "settings", "is_sure"),
    [
        (["1.234,50", "1.234"], {"decimal_comma": True}, True),
        (["1.234", "2.500"], {"decimal_comma": True}, False),
        (['"1,234"', '"2,500"'], {}, False),
        (["1.234", "2.5"], {}, True),
    ],
)
def test_marks_between_thousands_are_told_from_those_before_cents(
    desk: Desk, amounts: list[str], settings: dict[str, object], is_sure: bool
) -> None:
    text = "\n".join(f"{n};a;2024-01-02;{a.strip(chr(34))}" for n, a in enumerate(amounts))
    proposal = propose(desk, f"{HEAD.replace(',', ';')}\n{text}\n")
    assert dict(proposal.settings) == settings
    assert is_sure == (not any("the mark in" in note for note in proposal.doubts))


@pytest.mark.long
def test_columns_written_differently_have_a_form_each(desk: Desk) -> None:
    text = (
        "order_id;customer_id;date;total;refund;refunded_at\n"
        "1;a;02.01.2024;1.234,50;0.50;2024-01-20\n2;b;13.01.2024;8,00;;\n"
    )
    proposal = propose(desk, text)
    assert proposal.settings["formats"] == {"refunded_at": "iso", "refund": "1,234.50"}
    desk.sources = [proposal.as_source("shop", "o.csv").model_dump(exclude_none=True)]
    assert desk.bring()[0].is_clean
    first = next(one for one in desk.rows("orders") if one["order_id"] == "1")
    assert (str(first["gross"]), str(first["refund"])) == ("1234.5000", "0.5000")
    assert first["refunded_at"] == datetime(2024, 1, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "currency", "said"),
    [
        (f"{HEAD}\n1,a,2024-01-02,USD 5\n", "USD", ""),
        (f"{HEAD},currency\n1,a,2024-01-02,5,EUR\n", "EUR", ""),
        ("order_id,customer_id,date,Total (CHF)\n1,a,2024-01-02,5\n", "CHF", ""),
        (f"{HEAD}\n1,a,2024-01-02,€5\n2,a,2024-01-02,€6\n3,a,2024-01-02,£5\n", "EUR", "GBP (1)"),
        (f"{HEAD}\n1,a,2024-01-02,5\n", None, ""),
    ],
)
def test_the_currency_is_what_the_file_says(
    desk: Desk, text: str, currency: str | None, said: str
) -> None:
    proposal = propose(desk, text)
    assert proposal.currency == currency
    assert any(said in note for note in proposal.notes)


def test_answers_stand_against_every_guess(desk: Desk) -> None:
    text = f"{HEAD},net,discount\n1,a,03/02/2024,9,7,1\n"
    answers = Answers({"gross": "net", "discount": ""}, {"ordered_at": "%m/%d/%Y"})
    proposal = propose(desk, text, answers=answers)
    assert (taken(proposal)["gross"], taken(proposal).get("discount")) == ("net", None)
    assert proposal.settings["formats"] == {"ordered_at": "%m/%d/%Y"}
    with pytest.raises(SourceError, match="no column 'nett'; did you mean 'net'"):
        propose(desk, text, answers=Answers({"gross": "nett"}))
    with pytest.raises(SourceError, match="no column 'grss'"):
        propose(desk, text, answers=Answers({"grss": "net"}))


def test_every_column_that_is_not_read_is_named(desk: Desk) -> None:
    proposal = propose(desk, f"{HEAD},colour,blank\n1,a,2024-01-02,9,red,\n")
    assert [(one.column, one.why) for one in proposal.left_out] == [
        ("colour", "not known here"),
        ("blank", "empty"),
    ]


def test_permissions_are_counted_and_words_nobody_knows_named(desk: Desk) -> None:
    text = "customer_id,email,consent\na,a@x.example,yes\nb,b@x.example,no\nc,c@x.example,maybe\n"
    proposal = propose(desk, text)
    assert any("1 yes, 1 no, 1 neither" in note for note in proposal.doubts)
    assert any("'maybe'" in note for note in proposal.doubts)


def test_a_packed_file_that_was_cut_off_is_refused_with_a_sentence(desk: Desk) -> None:
    path = desk.write("o.csv.gz", gzip.compress(f"{HEAD}\n".encode() * 99)[:40])
    with pytest.raises(SourceError, match="cannot be read"):
        propose_source(path, zone="UTC")


def test_what_is_no_text_is_refused_without_bad_advice(desk: Desk) -> None:
    path = desk.write("o.csv", bytes(range(128, 256)) * 20)
    with pytest.raises(SourceError, match="or no text at all"):
        propose_source(path, zone="UTC")


MANY_DISCOUNTS = ((1, "p", 2), (1, "q", 3), (2, "p", 2), (2, "q", 2))


@pytest.mark.parametrize("sign", ["€", "US$ ", "kr ", "¥"])
def test_another_currency_by_its_sign_is_not_added_up(desk: Desk, sign: str) -> None:
    result = desk.orders(f"id,who,at,total\n1,ann,2024-01-01,£10\n2,bob,2024-01-01,{sign}20\n")
    assert result.reasons == {"other_currency": 1}
    assert [one["gross"] for one in desk.rows("orders")] == [10]


def test_a_sign_that_may_be_ours_is(desk: Desk) -> None:
    text = "id,who,at,total,cur\n1,ann,2024-01-01,$10,CAD\n"
    desk.rates["CAD"] = Decimal(1)
    result = desk.orders(text, columns={"currency": "cur"})
    assert result.reasons == {}


def test_a_column_of_signs_is_no_silence(desk: Desk) -> None:
    proposal = propose(desk, f"{HEAD},Currency\n1,a,2024-01-02,9,£\n2,b,2024-01-03,8,€\n")
    assert any("Currency" in one for one in proposal.doubts)


def test_a_number_of_a_file_of_numbers_has_no_thousands(desk: Desk) -> None:
    told = '[{"id":"1","who":"a","at":"2024-01-02","total":12.345},'
    desk.write("orders.json", told + '{"id":"2","who":"b","at":"2024-01-03","total":1.125}]')
    proposal = propose_source(desk.base / "orders.json", zone="UTC", now=NOW)
    assert "decimal_comma" not in proposal.settings
    columns = {"order_id": "id", "customer_id": "who", "ordered_at": "at", "gross": "total"}
    desk.bring({"name": "shop", "table": "orders", "path": "orders.json", "columns": columns})
    assert [str(one["gross"]) for one in desk.rows("orders")] == ["12.3450", "1.1250"]


def test_a_word_for_no_opt_out_is_none_and_the_others_are_counted(desk: Desk) -> None:
    text = "customer_id;Email;Newsletter;Abgemeldet\na;a@x.de;ja;FALSCH\nb;b@x.de;WAHR;nie\n"
    proposal = propose(desk, f"{text}c;c@x.de;ja;vielleicht\n")
    assert "email_consent in 'Newsletter': 3 yes, 0 no, 0 neither" in proposal.notes
    told = "email_opt_out in 'Abgemeldet': 1 want no marketing, those too that say 'vielleicht'"
    assert told in proposal.notes


@pytest.mark.draws(1)
@pytest.mark.parametrize("header", ["Abgemeldet am", "Abmeldedatum", "Date de désabonnement"])
def test_the_day_of_an_opt_out_is_known_by_its_header(desk: Desk, header: str) -> None:
    proposal = propose(desk, f"customer_id;Email;Newsletter;{header}\na;a@x.de;ja;03.05.2026\n")
    assert f"email_opt_out_at in {header!r}: 1 want no marketing" in proposal.notes


def test_a_column_that_may_say_no_is_never_left_out_in_silence(desk: Desk) -> None:
    proposal = propose(desk, "customer_id;Email;Newsletter;Sperrvermerk\na;a@x.de;ja;03.05.2026\n")
    assert any("'Sperrvermerk' is left out" in note for note in proposal.notes)


@pytest.mark.draws(1)
@pytest.mark.parametrize(("currency", "is_small"), [("usd", True), ("jpy", False)])
def test_what_billers_tell_in_cents_is_read_so_and_told(
    desk: Desk, currency: str, is_small: bool
) -> None:
    head = "id,customer,status,start_date,unit_amount,interval,currency\n"
    rows = "".join(f"s{n},a{n},active,2026-01-1{n},999,month,{currency}\n" for n in range(3))
    desk.write("subs.csv", head + rows)
    answers = Answers(table="subscriptions")
    proposal = propose_source(
        desk.base / "subs.csv", zone="UTC", now=NOW, answers=answers, currency=currency.upper()
    )
    assert (proposal.settings.get("formats") == {"amount": "hundredths"}) is is_small
    assert any("is read in hundredths" in note for note in proposal.notes) is is_small
    assert any("[sources.skip]" in note for note in proposal.notes)


def test_a_letter_of_some_sales_is_no_mark_of_cancellations(desk: Desk) -> None:
    back = "".join(f"C{n},a,2024-01-02,-10\n" for n in range(10))
    proposal = propose(desk, f"{HEAD}\n1,a,2024-01-02,9\n{back}C99,b,2024-01-03,500\n")
    assert "cancelled_prefix" not in proposal.settings


def test_files_are_taken_as_people_number_them(desk: Desk) -> None:
    for number, total in ((9, 5), (10, 7)):
        desk.write(f"o-{number}.csv", f"id,who,at,total\n1,ann,2024-01-01,{total}\n")
    desk.bring(ORDERS, path="o-*.csv")
    assert [one["gross"] for one in desk.rows("orders")] == [7]


@pytest.mark.parametrize("who", ["#N/A", "#NV", "Laufkundschaft", "walk-in"])
def test_who_is_nobody_is_no_customer(desk: Desk, who: str) -> None:
    assert desk.orders(f"id,who,at,total\n1,{who},2024-01-01,5\n").anonymous == 1


def test_ids_that_a_spreadsheet_cut_short_are_named(desk: Desk) -> None:
    proposal = propose(desk, f'{HEAD}\n1,"4,47912E+11",2024-01-02,9\n')
    assert any("cut 1 values" in one for one in (*proposal.notes, *proposal.doubts))


def test_a_discount_of_many_lines_is_of_all_of_them(desk: Desk) -> None:
    lines = [f"{order},a,2024-01-01,{sku},1,10,{off}" for order, sku, off in MANY_DISCOUNTS]
    text = "\n".join(["id,who,at,sku,qty,price,off", *lines])
    desk.lines(f"{text}\n", columns={"discount": "off"})
    assert [one["discount"] for one in desk.rows("orders")] == [5, 4]


def test_lines_without_a_quantity_are_lines(desk: Desk) -> None:
    head = "Order,Customer,Date,SKU,Amount"
    told = ("1,a,2024-06-05,red,10", "1,a,2024-06-05,blue,10", "3,b,2024-06-08,hat,5")
    proposal = propose(desk, "\n".join([head, *told, "3,b,2024-06-08,scarf,15"]) + "\n")
    assert proposal.table == "order_lines"
    # The total of an order that stands in each of its rows is none of theirs.
    total = ("1,a,2024-06-05,red,20", "1,a,2024-06-05,blue,20", "3,b,2024-06-08,hat,5")
    assert propose(desk, "\n".join([head, *total]) + "\n").table == "orders"
