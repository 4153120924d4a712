"""A newcomer's file is understood, or it is said what is missing."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from rekindle.errors import SourceError
from rekindle.facts import (
    CONTRACTS,
    Proposal,
    SourcePreset,
    discover_presets,
    propose_source,
)
from tests.facts.conftest import Desk

SHOP = Path(__file__).parents[2] / "examples" / "online_retail" / "orders.parquet"
SHOPIFY = (
    "Name,Email,Financial Status,Created at,Currency,Subtotal,Total,Discount,Billing Country\n"
    "#1001,ann@example.com,paid,2024-01-05 10:00:00 +0100,GBP,10.00,12.00,0.00,GB\n"
    "#1002,bob@example.com,voided,2024-01-06 11:30:00 +0100,GBP,20.00,24.00,1.00,GB\n"
)
GERMAN = (
    "Bestellung;order_id;customer_id;date;total\n"
    "x;1;Jürgen;13.02.2024;1.234,50\ny;2;Änne;01.03.2024;8,00\n"
)


def taken(proposal: Proposal) -> dict[str, str]:
    return {one.name: one.column for one in proposal.columns}


@pytest.mark.long
def test_a_real_export_of_order_lines_is_understood() -> None:
    proposal = propose_source(SHOP, zone="Europe/London")
    assert proposal.table == "order_lines"
    assert taken(proposal) == {
        "order_id": "Invoice",
        "product_id": "StockCode",
        "description": "Description",
        "quantity": "Quantity",
        "unit_price": "Price",
        "customer_id": "Customer ID",
        "ordered_at": "InvoiceDate",
        "country": "Country",
    }
    assert proposal.settings == {"cancelled_prefix": "C"}
    assert any("Europe/London" in note for note in proposal.notes)


def test_orders_by_address_are_understood(desk: Desk) -> None:
    proposal = propose_source(desk.write("o.csv", SHOPIFY), zone="UTC")
    assert proposal.table == "orders"
    found = taken(proposal)
    assert (found["order_id"], found["customer_id"], found["email"]) == ("Name", "Email", "Email")
    assert (found["ordered_at"], found["gross"], found["status"]) == (
        "Created at",
        "Total",
        "Financial Status",
    )
    assert any("stands for it" in note for note in proposal.notes)


@pytest.mark.long
def test_a_shopify_export_with_a_row_a_line_item_is_understood(desk: Desk) -> None:
    head = "Name,Email,Financial Status,Paid at,Currency,Total,Created at,Lineitem quantity"
    rows = (
        "#1001,ann@example.com,paid,2024-01-05 10:00:00 +0100,GBP,30.00,"
        "2024-01-05 09:59:00 +0100,2,Hat,10.00,HAT\n"
        "#1001,ann@example.com,,,,,2024-01-05 09:59:00 +0100,1,Bag,10.00,BAG\n"
    )
    text = f"{head},Lineitem name,Lineitem price,Lineitem sku\n{rows}"
    proposal = propose_source(desk.write("o.csv", text), zone="UTC")
    assert (proposal.preset, proposal.table) == ("Shopify orders", "order_lines")
    assert taken(proposal)["ordered_at"] == "Created at"
    desk.sources = [proposal.as_source("orders", "o.csv").model_dump(exclude_none=True)]
    assert desk.bring()[0].is_clean
    (order,) = desk.rows("orders")
    assert (order["customer_id"], order["gross"]) == ("ann@example.com", 30)


def test_german_headers_are_understood(desk: Desk) -> None:
    text = "Bestellnummer;Kundennummer;Bestelldatum;Gesamtbetrag;Währung\n1;a;13.02.2024;8,00;GBP\n"
    proposal = propose_source(desk.write("o.csv", text.encode("cp1252")), zone="Europe/Berlin")
    assert set(taken(proposal)) == {"order_id", "customer_id", "ordered_at", "gross", "currency"}


def test_who_was_never_asked_is_no_unread_word(desk: Desk) -> None:
    text = "customer_id,email,email_consent\n1,a@example.com,{}\n2,b@example.com,yes\n"
    for word, is_unread in (("NEVER_SUBSCRIBED", False), ("perhaps", True)):
        proposal = propose_source(desk.write("c.csv", text.format(word)), zone="UTC")
        assert any("say neither yes nor no" in one for one in proposal.notes) is is_unread


def test_a_name_beside_a_number_is_no_order(desk: Desk) -> None:
    rows = ["Bestellnummer;Name;Bestelldatum;Gesamtbetrag", "862;Müßig 109;13.02.2024;8,00"]
    text = "\n".join((*rows, "461;Müßig 56;14.02.2024;9,00", ""))
    proposal = propose_source(desk.write("o.csv", text), zone="Europe/Berlin")
    assert taken(proposal)["order_id"] == "Bestellnummer"


def test_dates_of_two_hands_have_an_order_of_their_own(desk: Desk) -> None:
    dates = ["31.12.2025", "05.01.2026", "12/31/2025", "01/05/2026", "02/28/2026"]
    rows = [f"{number},a,{date},5" for number, date in enumerate(dates)]
    text = "\n".join(("order_id,customer_id,date,total", *rows)) + "\n"
    proposal = propose_source(desk.write("o.csv", text), zone="UTC")
    assert set(proposal.settings["date_format"].split(" | ")) == {"%d.%m.%Y", "%m/%d/%Y"}


def test_a_list_of_addresses_is_customers(desk: Desk) -> None:
    text = "id,name,email,created_at\n7,Ann,ann@example.com,2024-01-01\n"
    assert propose_source(desk.write("c.csv", text), zone="UTC").table == "customers"
    text = "email,country\nann@example.com,GB\n"
    proposal = propose_source(desk.write("c.csv", text), zone="UTC")
    assert taken(proposal) == {"customer_id": "email", "email": "email", "country": "country"}


def test_plain_ids_number_orders_where_there_is_an_amount(desk: Desk) -> None:
    text = "id,customer,date,total\n7,ann,2024-01-01,5\n"
    proposal = propose_source(desk.write("o.csv", text), zone="UTC")
    assert (proposal.table, taken(proposal)["order_id"]) == ("orders", "id")


def test_german_dates_amounts_and_letters_are_found_out(desk: Desk) -> None:
    proposal = propose_source(desk.write("o.csv", GERMAN.encode("cp1252")), zone="Europe/Berlin")
    assert proposal.settings == {
        "date_format": "%d.%m.%Y",
        "decimal_comma": True,
        "encoding": "cp1252",
    }
    desk.sources = [proposal.as_source("orders", "o.csv").model_dump(exclude_none=True)]
    assert desk.bring()[0].is_clean
    assert {str(o["gross"]) for o in desk.rows("orders")} == {"1234.5000", "8.0000"}


def test_days_and_months_that_could_be_swapped_are_pointed_out(desk: Desk) -> None:
    path = desk.write(
        "o.csv", "id,customer_id,date,total\n1,a,03/02/2024,5\n".replace("id,", "order_id,", 1)
    )
    proposal = propose_source(path, zone="UTC")
    assert proposal.settings["date_format"] == "%d/%m/%Y"
    assert any("month/day" in note for note in proposal.notes)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("o.tsv.gz", "order_id\tcustomer_id\tdate\ttotal\n1\ta\t2024-01-01\t5\n"),
        ("o.jsonl", '{"order_id":1,"customer_id":"a","date":"2024-01-01","total":5}\n'),
    ],
)
def test_every_format_is_looked_into(desk: Desk, name: str, text: str) -> None:
    content = gzip.compress(text.encode()) if name.endswith(".gz") else text.encode()
    proposal = propose_source(desk.write(name, content), zone="UTC")
    assert taken(proposal) == {
        "order_id": "order_id",
        "customer_id": "customer_id",
        "ordered_at": "date",
        "gross": "total",
    }


def test_customers_are_told_from_orders(desk: Desk) -> None:
    text = "customer_id,email,country,accepts_marketing\n1,a@example.com,GB,yes\n"
    proposal = propose_source(desk.write("c.csv", text), zone="UTC")
    assert proposal.table == "customers"
    assert taken(proposal)["email_consent"] == "accepts_marketing"


def test_orders_without_a_number_or_a_customer_are_pointed_out(desk: Desk) -> None:
    unnumbered = propose_source(
        desk.write("a.csv", "user,day,amount\na,2024-01-01,5\n"), zone="UTC"
    )
    assert any("customer and time" in note for note in unnumbered.notes)
    nobody = propose_source(
        desk.write("b.csv", "order_id,day,amount\n1,2024-01-01,5\n"), zone="UTC"
    )
    assert any("anonymous" in note for note in nobody.notes)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a,b,c\n1,2,3\n", "none looks like"),
        ("order_id,customer_id,total\n1,a,5\n", "ordered_at"),
        ("order_id,customer_id,date,total\n1,a,2024-01-01,lots\n", "gross"),
        ("order_id,date,total\n", "no rows"),
    ],
)
def test_what_is_missing_is_named_with_what_is_there(desk: Desk, text: str, part: str) -> None:
    with pytest.raises(SourceError, match=part):
        propose_source(desk.write("o.csv", text), zone="UTC")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        propose_source(tmp_path / "nowhere.csv", zone="UTC")


def test_a_phone_and_a_renewal_are_found_on_a_card(desk: Desk) -> None:
    text = "id,email,Mobile Phone,Next Billing Date\nann,a@x.example,+44 20 1,31.05.2026\n"
    proposal = propose_source(desk.write("c.csv", text), zone="UTC")
    assert (proposal.table, proposal.settings) == ("customers", {"date_format": "%d.%m.%Y"})
    found = taken(proposal)
    assert (found["phone"], found["renews_on"]) == ("Mobile Phone", "Next Billing Date")


@pytest.mark.parametrize("preset", discover_presets(), ids=lambda preset: preset.name)
def test_a_preset_names_columns_of_its_table_that_its_header_could_hold(
    preset: SourcePreset,
) -> None:
    inputs = CONTRACTS[preset.table].inputs
    assert preset.columns.keys() <= {column.name for column in inputs}
    assert set(preset.header) & set(preset.columns.values())


@pytest.mark.parametrize(
    "tax", ["Umsatzsteuer", "Sales Tax", "Total TVA", "Totale IVA", "Bedrag btw", "Moms belopp"]
)
def test_a_tax_is_no_total(desk: Desk, tax: str) -> None:
    file = desk.write("o.csv", f"order_id,customer_id,date,{tax}\n1,a,2024-01-05,1.90\n")
    with pytest.raises(SourceError, match="gross"):
        propose_source(file, zone="UTC")


@pytest.mark.long
def test_a_german_statement_of_payments_is_understood(desk: Desk) -> None:
    text = (
        '"Datum","Uhrzeit","Währung","Brutto","Entgelt","Netto","Absender E-Mail-Adresse",'
        '"Umsatzsteuer","Rechnungsnummer"\n'
        '"02.01.2024","10:11:12","GBP","1.249,90","-1,55","48,35","ann@example.com","0,00","R-1"\n'
        '"04.01.2024","11:11:12","GBP","-49,90","1,55","48,35","ann@example.com","0,00","R-1"\n'
    )
    proposal = propose_source(desk.write("p.csv", text), zone="Europe/Berlin")
    found = taken(proposal)
    assert (found["gross"], found["order_id"]) == ("Brutto", "Rechnungsnummer")
    assert found["customer_id"] == found["email"] == "Absender E-Mail-Adresse"
    desk.sources = [proposal.as_source("pay", "p.csv").model_dump(exclude_none=True)]
    (result,) = desk.bring()
    assert result.is_clean, result.examples
    (order,) = desk.rows("orders")
    assert (float(order["gross"]), float(order["refund"])) == (1249.90, 49.90)
