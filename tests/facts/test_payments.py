"""Payments, invoices and cards from files: exact, dated, and never with a card's number."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from rekindle.config import Config
from rekindle.facts import Answers, FileImport, import_sources, open_lake, propose_source
from rekindle.facts.sources import discover_presets, find_preset
from rekindle.facts.sources.discovery import is_by_name
from tests.facts.conftest import NOW, Desk
from tests.facts.files.chartmogul import EXPORTS as CHARTMOGUL

VISA = "4242 4242 4242 4242"
METHODS = "id,customer,created,brand,last4,exp_month,exp_year\n"
PAYMENTS = "payment_id,customer_id,created,amount,status\n"
STRIPE_INVOICES = (
    "id,Amount Due,Amount Paid,Currency,Customer,Customer Email,Date (UTC),Due Date (UTC),"
    "Finalized At (UTC),Paid At (UTC),Voided At (UTC),Status,Subscription,"
    "Minimum Line Item Period Start (UTC),Maximum Line Item Period End (UTC)\n"
    "in_1,25.00,25.00,gbp,cus_a,ann@example.com,2025-01-13 10:04,,2025-01-13 11:04,"
    "2025-01-14 09:00,,paid,sub_1,2025-01-13 10:04,2025-02-13 10:04\n"
    "in_2,30.00,0.00,gbp,cus_b,bob@example.com,2025-02-13 10:04,,2025-02-13 11:04,,,open,sub_2,"
    "2025-02-13 10:04,2025-03-13 10:04\n"
    "in_3,30.00,0.00,gbp,cus_b,bob@example.com,2025-02-13 10:04,,,,,draft,sub_2,,\n"
)
STRIPE_PAYMENTS = (
    "id,Created date (UTC),Amount,Amount Refunded,Currency,Decline Reason,Description,Mode,Status,"
    "Customer ID,Customer Email,Card ID,Card Brand,Invoice ID\n"
    "ch_1,2025-01-14 09:00,25.00,0,gbp,,Order,Live,Paid,cus_a,ann@example.com,card_1,Visa,in_1\n"
    "ch_2,2025-02-13 12:00,30.00,0,gbp,insufficient_funds,Order,Live,Failed,cus_b,"
    "bob@example.com,card_2,Visa,in_2\n"
    "ch_3,2025-02-13 12:00,99.00,0,gbp,,Order,Test,Paid,cus_b,bob@example.com,card_2,Visa,in_2\n"
)
STRIPE_SUBSCRIPTIONS = (
    "id,Customer ID,Customer Email,Plan,Product,Quantity,Currency,Interval,Amount,Status,"
    "Created (UTC),Start (UTC),Start Date (UTC),Current Period Start (UTC),"
    "Current Period End (UTC),Trial Start (UTC),Trial End (UTC),Canceled At (UTC),"
    "Cancel At Period End,Ended At (UTC),Cancellation Reason\n"
    "sub_1,cus_a,ann@example.com,price_1,prod_1,2,gbp,month,19.00,active,2025-01-31 10:00,"
    "2025-01-31 10:00,2025-01-31 10:00,2025-05-31 10:00,2025-06-30 10:00,,,,false,,\n"
    "sub_2,cus_b,bob@example.com,price_2,prod_1,1,gbp,year,190.00,canceled,2024-01-31 10:00,"
    "2024-01-31 10:00,2024-01-31 10:00,2024-01-31 10:00,2025-01-31 10:00,,,2024-05-10 08:00,true,"
    "2025-01-31 10:00,cancellation_requested\n"
    "sub_3,cus_c,cat@example.com,price_1,prod_1,1,gbp,month,19.00,trialing,2025-05-31 10:00,"
    "2025-05-31 10:00,2025-05-31 10:00,2025-05-31 10:00,2025-06-30 10:00,2025-05-31 10:00,"
    "2025-06-30 10:00,,false,,\n"
    "sub_4,cus_d,dan@example.com,price_1,prod_1,1,gbp,month,19.00,incomplete_expired,"
    "2025-05-31 10:00,2025-05-31 10:00,2025-05-31 10:00,2025-05-31 10:00,2025-06-30 10:00,,,,"
    "false,2025-06-01 09:00,\n"
)


EXPORTS = {
    "Stripe subscriptions": ("subscriptions", STRIPE_SUBSCRIPTIONS),
    "Stripe invoices": ("invoices", STRIPE_INVOICES),
    "Stripe payments, as attempts": ("payments", STRIPE_PAYMENTS),
    **CHARTMOGUL,
}


def bring(desk: Desk, table: str, text: str, currency: str = "GBP") -> FileImport:
    path = desk.write(f"{table}.csv", text)
    proposal = propose_source(path, zone="UTC", currency=currency, answers=Answers(table=table))
    source = proposal.as_source(table, path.name)
    workspace = {"timezone": "UTC", "currency": currency}
    config = Config.model_validate({"workspace": workspace, "sources": [source.model_dump()]})
    (result,) = import_sources(config, desk.base, now=NOW)
    return result


def held(desk: Desk, table: str) -> list[dict[str, Any]]:
    engine = open_lake(desk.lake.folder, currency="GBP", zone="UTC")
    rows = engine.run(engine.facts().more[table]).to_pylist()
    engine.close()
    return sorted(rows, key=str)


def test_every_preset_of_a_table_that_is_named_has_a_file_here() -> None:
    named = {preset.name for preset in discover_presets() if is_by_name(preset)}
    assert named == EXPORTS.keys()
    for name, (table, text) in EXPORTS.items():
        header = text.splitlines()[0].split(",")
        fitting = [one for one in discover_presets() if is_by_name(one) and one.fits(header)]
        assert [one.name for one in fitting if one.table == table] == [name]


@pytest.mark.long
def test_an_export_of_invoices_is_told_by_its_header(desk: Desk) -> None:
    assert bring(desk, "invoices", STRIPE_INVOICES).is_clean
    one, two = held(desk, "invoices")
    assert (one["invoice_id"], one["subscription_id"], one["amount"]) == ("in_1", "sub_1", 25)
    assert one["paid_at"] == datetime(2025, 1, 14, 9, tzinfo=UTC)
    assert (two["invoice_id"], two["paid_at"]) == ("in_2", None)


@pytest.mark.long
def test_an_export_of_subscriptions_leaves_out_what_was_never_paid_for(desk: Desk) -> None:
    result = bring(desk, "subscriptions", STRIPE_SUBSCRIPTIONS)
    assert (result.is_clean, result.read) == (True, 2)
    one, two = held(desk, "subscriptions")
    assert (one["subscription_id"], one["amount"], one["quantity"], one["interval"]) == (
        "sub_1",
        19,
        2,
        "month",
    )
    assert (two["ended_at"], two["end_reason"]) == (
        datetime(2025, 1, 31, 10, tzinfo=UTC),
        "cancellation_requested",
    )


@pytest.mark.long
def test_an_export_of_payments_is_of_sales_or_of_attempts_as_it_is_asked(desk: Desk) -> None:
    header = STRIPE_PAYMENTS.splitlines()[0].split(",")
    assert [getattr(find_preset(header, table), "name", None) for table in (None, "payments")] == [
        "Stripe payments",
        "Stripe payments, as attempts",
    ]
    assert bring(desk, "payments", STRIPE_PAYMENTS).is_clean
    assert [
        (row["payment_id"], row["customer_id"], row["outcome"], row["decline_code"])
        for row in held(desk, "payments")
    ] == [("ch_1", "cus_a", "Paid", None), ("ch_2", "cus_b", "Failed", "insufficient_funds")]


@pytest.mark.parametrize(
    ("currency", "written", "amount"), [("JPY", "500", "500"), ("KWD", "1.234", "1.234")]
)
def test_a_currency_has_the_minor_units_it_has(
    desk: Desk, currency: str, written: str, amount: str
) -> None:
    bring(desk, "payments", f"{PAYMENTS}p,c,2025-01-01,{written},paid\n", currency)
    assert [row["amount"] for row in held(desk, "payments")] == [Decimal(amount)]


@pytest.mark.long
@pytest.mark.draws(3)
@pytest.mark.parametrize(
    ("row", "is_taken"),
    [
        ("pm_1,c,2025-01-01,visa,4242,1,2027", True),
        ("pm_1,c,2025-01-01,visa,0042,1,27", True),
        (f"pm_1,c,2025-01-01,visa,{VISA},1,2027", False),
        ("pm_1,c,2025-01-01,visa,42424,1,2027", False),
        (f"{VISA},c,2025-01-01,visa,4242,1,2027", False),
        ("4242-4242-4242-4242,c,2025-01-01,visa,4242,1,2027", False),
        # Sixteen digits that are no card's: they do not pass its check.
        ("4242424242424241,c,2025-01-01,visa,4242,1,2027", True),
    ],
)
def test_a_number_of_a_card_is_refused_and_kept_nowhere(
    desk: Desk, row: str, is_taken: bool
) -> None:
    result = bring(desk, "payment_methods", f"{METHODS}{row}\nok,d,2025-01-01,visa,1111,1,2027\n")
    assert (result.quarantined, "card_number" in result.reasons) == (not is_taken, not is_taken)
    assert [one["last_four"] for one in held(desk, "payment_methods")].count("1111") == 1
    if not is_taken:
        said = f"{desk.rows('quarantine')} {result.examples}"
        assert not re.search(r"4242[ -]?4242", said)
        assert ("a number, left out" in said) == (
            len(row) > len("pm_1,c,2025-01-01,visa,42424,1,2027")
        )


@pytest.mark.long
def test_a_row_that_is_refused_for_another_reason_keeps_no_number_either(desk: Desk) -> None:
    text = f"{METHODS[:-1]},pan\npm_1,c,no day,visa,4242,1,2027,{VISA}\nok,d,2025-01-01,v,1,1,27,\n"
    assert bring(desk, "payment_methods", text).quarantined == 1
    assert "4242 4242" not in str(desk.rows("quarantine"))
