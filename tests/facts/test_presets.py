"""Exports of known systems are told by their header, and come to the figures they hold.

The files are made up, with the headers that each system writes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from rekindle.facts import CONTRACTS, SourcePreset, discover_presets, propose_source
from rekindle.facts.sources import with_made
from rekindle.facts.sources.discovery import is_by_name
from rekindle.facts.sources.raw import Raw
from tests.facts.conftest import Desk
from tests.facts.files import chartmogul

EVERY = {preset.name: preset for preset in discover_presets()}
# Those of a table that somebody has to name stand in test_payments.py.
BY_NAME = {name for name, one in EVERY.items() if is_by_name(one)}
PRESETS = {name: preset for name, preset in EVERY.items() if name not in BY_NAME}


@dataclass(frozen=True)
class Sale:
    """An export of orders: its text, and what it comes to."""

    text: str
    gross: float
    discount: float = 0
    refund: float = 0
    kinds: str = "purchase purchase"


@dataclass(frozen=True)
class People:
    """An export of contacts: its text, and what each says of marketing."""

    text: str
    said: dict[str, str]
    of_texts: dict[str, str] = field(default_factory=dict)


ANN, BOB = "ann@example.com", "bob@example.com"
SALES = {
    "Shopify orders": Sale(
        "Name,Email,Financial Status,Paid at,Currency,Subtotal,Shipping,Total,Discount Amount,"
        "Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Cancelled at,"
        "Refunded Amount,Lineitem discount\n"
        "#1,ann@example.com,paid,2024-01-13,GBP,27.00,5,32.00,3.00,2024-01-13 10:04:00 +0000,1,"
        "Mug,10.00,M,,0.00,0\n"
        "#1,ann@example.com,,,,,,,,2024-01-13 10:04:00 +0000,2,Cup,10.00,C,,,0\n"
        "#2,bob@example.com,voided,,GBP,9,5,14,0,2024-02-14 10:04:00 +0000,1,Pot,9.00,P,"
        "2024-02-14 11:00:00 +0000,0.00,0\n"
        "#3,bob@example.com,partially_refunded,,GBP,9,5,14,0,2024-02-15 10:04:00 +0000,1,Pot,"
        "9.00,P,,4.00,0\n",
        gross=39, discount=3, refund=4, kinds="purchase cancelled purchase",
    ),
    "WooCommerce Analytics orders": Sale(
        "Date,Order #,N. Revenue (formatted),Status,Customer,Customer type,Product(s),Items sold,"
        "Coupon(s),N. Revenue\n"
        "2024-01-13 10:04:00,1001,£25.00,completed,Ann Lee,new,1× Mug,1,,25\n"
        "2024-01-20 10:04:00,1001,-£5.00,refunded,Ann Lee,new,1× Mug,0,,-5\n"
        "2024-02-13 10:04:00,1002,£30.00,processing,Bob Ray,new,1× Cup,1,,30\n",
        gross=55, refund=5,
    ),
    "WooCommerce order export": Sale(
        "Order Number,Order Status,Order Date,First Name (Billing),Country Code (Billing),"
        "Email (Billing),Order Total Amount,Order Refund Amount\n"
        "1001,Completed,2024-01-13 10:04,Ann,GB,ann@example.com,25.00,5\n"
        "1002,Processing,2024-02-13 10:04,Bob,GB,bob@example.com,30.00,0\n"
        "1003,Pending payment,2024-02-13 10:04,Bob,GB,bob@example.com,30.00,0\n",
        gross=55, refund=5, kinds="purchase purchase pending",
    ),
    "WooCommerce order export, a row an item": Sale(
        "Order Number,Order Status,Order Date,Email (Billing),Cart Discount Amount,"
        "Order Total Amount,SKU,Item Name,Quantity (- Refund),Item Cost\n"
        "1001,Completed,2024-01-13 10:04,ann@example.com,2,23,M,Mug,2,10.00\n"
        "1001,Completed,2024-01-13 10:04,ann@example.com,2,23,C,Cup,1,5.00\n"
        "1002,Failed,2024-02-13 10:04,bob@example.com,0,5,C,Cup,1,5.00\n",
        gross=25, discount=2, kinds="purchase pending",
    ),
    "Magento orders": Sale(
        "ID,Purchase Point,Purchase Date,Grand Total (Base),Grand Total (Purchased),Status,"
        "Customer Email,Subtotal,Total Refunded\n"
        "000000001,Main,2024-01-13 10:04:00,25.0000,25.0000,Complete,ann@example.com,20,\n"
        "000000002,Main,2024-02-14 10:04:00,30.0000,30.0000,Closed,bob@example.com,25,30.0000\n"
        "000000003,Main,2024-02-14 10:04:00,30.0000,30.0000,Canceled,bob@example.com,25,\n",
        gross=55, refund=30, kinds="purchase purchase cancelled",
    ),
    "BigCommerce orders": Sale(
        "Order ID,Customer ID,Customer Name,Customer Email,Order Date,Order Status,"
        "Order Total (inc tax)\n"
        "1001,7,Ann Lee,ann@example.com,13/01/2024,Completed,25.00\n"
        "1002,8,Bob Ray,bob@example.com,14/02/2024,Awaiting Fulfillment,30.00\n"
        "1003,8,Bob Ray,bob@example.com,14/02/2024,Declined,30.00\n",
        gross=55, kinds="purchase purchase pending",
    ),
    "PrestaShop orders": Sale(
        "ID;Reference;New client;Delivery;Customer;Total;Payment;Status;Date\n"
        "1;XKBKNABJK;1;France;A. LEE;€25.00;Card;Payment accepted;2024-01-13 10:04:00\n"
        "2;OHSATSERP;0;France;B. RAY;€30.00;Card;Delivered;2024-02-13 10:04:00\n"
        "3;UOYEVOLI;0;France;B. RAY;€30.00;Card;Payment error;2024-02-13 10:05:00\n",
        gross=55, kinds="purchase purchase pending",
    ),
    "PrestaShop orders, from its tables": Sale(
        "id_order,id_customer,total_paid_tax_incl,osname,date_add\n"
        "1001,7,25.000000,Payment accepted,2024-01-13 10:04:00\n"
        "1002,8,30.000000,Shipped,2024-02-13 10:04:00\n",
        gross=55,
    ),
    "Etsy orders": Sale(
        "Sale Date,Order ID,Buyer User ID,Full Name,First Name,Number of Items,Currency,"
        "Order Value,Discount Amount,Shipping,Sales Tax,Order Total,Status\n"
        "01/13/2024,1001,ann77,Ann Lee,Ann,1,GBP,25.00,2.00,4.95,0.00,27.95,\n"
        "02/14/2024,1002,bob88,Bob Ray,Bob,1,GBP,30.00,0.00,4.95,0.00,34.95,Shipped\n",
        gross=55, discount=2,
    ),
    "Etsy order items": Sale(
        "Sale Date,Item Name,Buyer,Quantity,Price,Coupon Code,Discount Amount,Item Total,"
        "Currency,Transaction ID,Listing ID,Ship Country,Order ID\n"
        "01/13/2024,Mug,ann77,2,10.00,,1.00,19.00,GBP,1,11,United Kingdom,1001\n"
        "01/13/2024,Cup,ann77,1,5.00,,1.00,4.00,GBP,2,12,United Kingdom,1001\n"
        "02/14/2024,Cup,bob88,1,5.00,,0.00,5.00,GBP,3,12,United Kingdom,1002\n",
        gross=30, discount=2,
    ),
    "eBay orders": Sale(
        "Sales Record Number,Order Number,Buyer Username,Buyer Name,Buyer Email,Item Number,"
        "Item Title,Quantity,Sold For,Total Price,Sale Date\n"
        "101,11-1,ann77,Ann,x@members.ebay.com,501,Mug,2,£10.00,£24.00,2024-01-13\n"
        "102,11-2,bob88,Bob,y@members.ebay.com,,,2,£15.00,£19.00,2024-02-14\n"
        "102,11-2,bob88,,,502,Cup,1,£5.00,,2024-02-14\n"
        "102,11-2,bob88,,,503,Pan,1,£10.00,,2024-02-14\n",
        gross=35,
    ),
    "Amazon all orders": Sale(
        "amazon-order-id\tpurchase-date\torder-status\tproduct-name\tsku\tquantity\tcurrency\t"
        "item-price\titem-promotion-discount\tship-country\n"
        "11-1\t2024-01-13T10:04:00+00:00\tShipped\tMug\tM\t3\tGBP\t30.00\t2.00\tGB\n"
        "11-2\t2024-02-14T10:04:00+00:00\tCancelled\tCup\tC\t1\tGBP\t5.00\t\tGB\n",
        gross=30, discount=2, kinds="purchase cancelled",
    ),
    "Amazon order report": Sale(
        "order-id\torder-item-id\tpurchase-date\tbuyer-email\tbuyer-name\tsku\tproduct-name\t"
        "quantity-purchased\tcurrency\titem-price\titem-tax\tship-country\n"
        "11-1\t1\t2024-01-13T10:04:00+00:00\tq@marketplace.amazon.com\tAnn\tM\tMug\t3\tGBP\t"
        "30.00\t6.00\tGB\n",
        gross=30, kinds="purchase",
    ),
    "Square transactions": Sale(
        "Date,Time,Time Zone,Gross Sales,Discounts,Net Sales,Partial Refunds,Transaction ID,"
        "Event Type,Customer ID\n"
        "2024-01-13,10:04:00,London,$25.00,-$2.00,$23.00,$0.00,T1,Payment,A\n"
        "2024-02-13,10:04:00,London,$30.00,$0.00,$30.00,-$4.00,T2,Payment,B\n"
        "2024-02-14,10:04:00,London,-$25.00,$2.00,-$23.00,$0.00,T3,Refund,A\n",
        gross=55, discount=2, refund=29, kinds="purchase purchase refund",
    ),
    "Square items": Sale(
        "Date,Time,Category,Item,Qty,SKU,Gross Sales,Discounts,Net Sales,Transaction ID,"
        "Event Type,Customer ID\n"
        "2024-01-13,10:04:00,Cups,Mug,2,M,$20.00,-$2.00,$18.00,T1,Payment,A\n"
        "2024-01-13,10:04:00,Cups,Cup,1,C,$5.00,$0.00,$5.00,T1,Payment,A\n"
        "2024-02-13,10:04:00,Cups,Cup,1,C,$5.00,$0.00,$5.00,T2,Payment,B\n",
        gross=30, discount=2,
    ),
    "PayPal activity": Sale(
        "Date,Time,TimeZone,Name,Type,Status,Currency,Gross,Fee,Net,From Email Address,"
        "To Email Address,Transaction ID,Balance Impact\n"
        "01/13/2024,10:04:00,PST,Ann Lee,Express Checkout Payment,Completed,GBP,25.00,-1,24,"
        "ann@example.com,me@example.com,X1,Credit\n"
        "02/14/2024,10:04:00,PST,Bob Ray,Website Payment,Refunded,GBP,30.00,-1,29,"
        "bob@example.com,me@example.com,X2,Credit\n"
        "02/15/2024,10:04:00,PST,Bob Ray,Payment Refund,Completed,GBP,-30.00,1,-29,"
        "me@example.com,bob@example.com,X3,Debit\n"
        "02/16/2024,10:04:00,PST,,General Withdrawal,Completed,GBP,-24.00,0,-24,"
        "me@example.com,,X4,Debit\n",
        gross=55, refund=30,
    ),
    "Stripe payments": Sale(
        "id,Description,Created date (UTC),Amount,Amount Refunded,Currency,Mode,Status,"
        "Customer ID,Customer Email,Refunded date (UTC)\n"
        "ch_1,Order,2024-01-13 10:04,25.00,5.00,gbp,Live,Paid,cus_a,ann@example.com,"
        "2024-01-20 10:00\n"
        "ch_2,Order,2024-02-13 10:04,30.00,0.00,gbp,Live,Failed,cus_b,bob@example.com,\n"
        "ch_3,Order,2024-02-13 10:04,99.00,0.00,gbp,Test,Paid,cus_b,bob@example.com,\n",
        gross=25, refund=5, kinds="purchase pending",
    ),
}  # fmt: skip
PEOPLE = {
    "ChartMogul customers": People(chartmogul.CUSTOMERS, {}),
    "Shopify customers": People(
        "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,"
        "Default Address Country Code,Phone,Accepts SMS Marketing,Total Spent,Total Orders\n"
        "'7001,Ann,Lee,ann@example.com,yes,GB,,no,10.00,1\n"
        "'7002,Bob,Ray,bob@example.com,no,GB,,yes,12.00,1\n",
        {"7001": "yes", "7002": "no"},
        {"7001": "no", "7002": "yes"},
    ),
    "Shopify customers (older)": People(
        "First Name,Last Name,Email,Company,Country Code,Zip,Phone,Accepts Marketing,"
        "Total Spent,Total Orders,Tags\n"
        "Ann,Lee,ann@example.com,,GB,LS1,,yes,10.00,1,\n"
        "Bob,Ray,bob@example.com,,GB,LS1,,no,12.00,1,\n",
        {ANN: "yes", BOB: "no"},
    ),
    "WooCommerce Analytics customers": People(
        "Name,Username,Last Active,Sign Up,Email,Orders,Total Spend,AOV,Country / Region,City,"
        "Region,Postal Code\n"
        "Ann Lee,ann,2024-02-01,2024-01-01,ann@example.com,1,25,25,GB,Leeds,,LS1\n",
        {},
    ),
    "Magento customers": People(
        "ID,Name,Email,Group,Phone,ZIP,Country,State/Province,Customer Since,Web Site\n"
        "1,Ann Lee,ann@example.com,General,,LS1,GB,,2024-01-01 10:00:00,Main\n",
        {},
    ),
    "BigCommerce customers": People(
        "Customer ID,First Name,Last Name,Company,Email,Phone,Notes,Store Credit,Customer Group,"
        "Date Joined,Receive Marketing Emails\n"
        "7,Ann,Lee,,ann@example.com,,,0.00,,13/01/2024,Yes\n"
        "8,Bob,Ray,,bob@example.com,,,0.00,,13/01/2024,No\n",
        {"7": "yes", "8": "no"},
    ),
    "PrestaShop customers": People(
        "ID;Social title;First name;Last name;Email address;Sales;Enabled;Newsletter;"
        "Partner offers;Registration;Last visit\n"
        "7;Mrs.;Ann;Lee;ann@example.com;25;1;1;0;2024-01-13 10:00:00;\n"
        "8;Mr.;Bob;Ray;bob@example.com;30;1;0;0;2024-01-13 10:00:00;\n",
        {"7": "yes", "8": "no"},
    ),
    "Square customers": People(
        "Reference ID,First Name,Last Name,Email Address,Phone Number,Postal Code,"
        "Square Customer ID,Creation Source,Email Subscription Status\n"
        ",Ann,Lee,ann@example.com,,LS1,A,Merge,subscribed\n"
        ",Bob,Ray,bob@example.com,,LS1,B,Merge,unsubscribed\n",
        {"A": "yes", "B": "no"},
    ),
    "Klaviyo profiles": People(
        "Email,Klaviyo ID,First Name,Last Name,Email Marketing Consent,"
        "Email Marketing Consent Timestamp,Email Suppressions,SMS Marketing Consent,"
        "SMS Marketing Consent Timestamp\n"
        "ann@example.com,01K1,Ann,Lee,UNSUBSCRIBED,2025-06-01 10:00:00,,SUBSCRIBED,2025-07-01\n"
        "bob@example.com,01K2,Bob,Ray,SUBSCRIBED,2025-01-01 10:00:00,,NEVER_SUBSCRIBED,\n"
        "cy@example.com,01K3,Cy,Dee,NEVER_SUBSCRIBED,,,UNSUBSCRIBED,2025-08-01\n"
        "di@example.com,01K4,Di,Eve,NEVER_SUBSCRIBED,,['HARD_BOUNCE'],,\n",
        {"01K1": "no", "01K2": "yes", "01K4": "no"},
        {"01K1": "yes", "01K3": "no"},
    ),
    "Mailchimp subscribed contacts": People(
        "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,"
        "CONFIRM_IP,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS\n"
        "ann@example.com,Ann,Lee,2,2023-05-01 10:00:00,,2023-05-01 10:05:00,,GB,,"
        "2023-05-01 10:05:00,1,2,,\n",
        {ANN: "yes"},
    ),
    "Mailchimp unsubscribed contacts": People(
        "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,LAST_CHANGED,UNSUB_TIME,"
        "UNSUB_CAMPAIGN_TITLE,UNSUB_REASON\n"
        "ann@example.com,Ann,Lee,2,2023-05-01 10:00:00,2025-06-01 09:00:00,"
        "2025-06-01 09:00:00,News,NORMAL\n",
        {ANN: "no"},
    ),
    "Mailchimp cleaned contacts": People(
        "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,LAST_CHANGED,CLEAN_TIME,"
        "CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID\n"
        "ann@example.com,Ann,Lee,2,2023-05-01 10:00:00,2025-06-01 09:00:00,"
        "2025-06-01 09:00:00,News,7\n",
        {ANN: "no"},
    ),
    "Brevo contacts": People(
        "EMAIL;LASTNAME;FIRSTNAME;EMAIL_BLACKLISTED;SMS_BLACKLISTED;SMS\n"
        "ann@example.com;Lee;Ann;Yes;No;\nbob@example.com;Ray;Bob;No;Yes;\n",
        {ANN: "no"},
        {BOB: "no"},
    ),
}


def header(text: str) -> list[str]:
    first = text.splitlines()[0]
    mark = max(",;\t", key=first.count)
    return first.split(mark)


def read(desk: Desk, name: str, text: str) -> list[str]:
    """Propose and import one export; return what the import told."""
    file = "export.txt" if "\t" in text else "export.csv"
    proposal = propose_source(desk.write(file, text), zone="UTC")
    assert proposal.preset == name
    desk.sources = [proposal.as_source("shop", file).model_dump(exclude_none=True)]
    (result,) = desk.bring()
    assert result.is_clean, result.examples
    return list(result.notes)


def test_every_preset_has_a_file_here() -> None:
    assert PRESETS.keys() == SALES.keys() | PEOPLE.keys()


@pytest.mark.long
@pytest.mark.draws(6)
@pytest.mark.parametrize("name", SALES)
def test_an_export_of_orders_comes_to_its_figures(desk: Desk, name: str) -> None:
    sale = SALES[name]
    read(desk, name, sale.text)
    orders = desk.rows("orders")
    found = {key: float(sum(one[key] for one in orders)) for key in ("gross", "discount", "refund")}
    assert found == {"gross": sale.gross, "discount": sale.discount, "refund": sale.refund}
    assert sorted(order["kind"] for order in orders) == sorted(sale.kinds.split())


@pytest.mark.long
@pytest.mark.draws(5)
@pytest.mark.parametrize("name", PEOPLE)
def test_an_export_of_contacts_says_who_agreed_and_who_did_not(desk: Desk, name: str) -> None:
    people = PEOPLE[name]
    read(desk, name, people.text)
    said: dict[str, dict[str, str]] = {"email": {}, "sms": {}}
    for row in desk.rows("permissions"):
        said[row["channel"]][row["customer_id"]] = row["said"]
    assert said == {"email": people.said, "sms": people.of_texts}
    cards = {card["customer_id"]: card["email_consent"] for card in desk.rows("customers")}
    assert {id_: yes for id_, yes in cards.items() if yes is not None} == {
        id_: word == "yes" for id_, word in people.said.items()
    }


@pytest.mark.parametrize("name", PRESETS)
def test_a_header_is_of_one_export_only(name: str) -> None:
    file = SALES.get(name) or PEOPLE[name]
    assert [one.name for one in PRESETS.values() if one.fits(header(file.text))] == [name]
    everything = [*PRESETS[name].header, *PRESETS[name].words]
    assert [one.name for one in PRESETS.values() if one.fits(everything)] == [name]


@pytest.mark.parametrize("preset", EVERY.values(), ids=lambda preset: preset.name)
def test_a_preset_speaks_of_columns_there_are(preset: SourcePreset) -> None:
    contract = CONTRACTS[preset.table]
    assert preset.columns.keys() <= {column.name for column in contract.inputs}
    raw = with_made(Raw("x", "select 1", dict.fromkeys(preset.header, "VARCHAR")), preset.words)
    assert set(preset.chosen(raw.columns).values())


@pytest.mark.long
@pytest.mark.draws(2)
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("unsubscribed_members.csv", "no"),
        ("Opt-outs 2024.csv", "no"),
        ("bounces.csv", "no"),
        ("do-not-contact.csv", "no"),
        ("abgemeldete Kontakte.csv", "no"),
        ("subscribers.csv", None),
        ("customers.csv", None),
    ],
)
def test_a_list_says_no_by_its_name(desk: Desk, name: str, said: str | None) -> None:
    proposal = propose_source(desk.write(name, f"email,country\n{ANN},GB\n"), zone="UTC")
    assert any("unsubscribed" in note for note in proposal.notes)
    desk.sources = [proposal.as_source("list", name).model_dump(exclude_none=True)]
    desk.bring()
    assert [row["said"] for row in desk.rows("permissions")] == [said] * bool(said)


OUT = "email,Unsubscribed,Unsubscribed at\n"


@pytest.mark.draws(2)
@pytest.mark.parametrize(
    ("row", "said"),
    [
        (f"{ANN},yes,\n", "no"),
        (f"{ANN},,2025-01-01\n", "no"),
        (f"{ANN},,some day\n", "no"),
        (f"{ANN},perhaps,\n", "no"),
        (f"{ANN},false,\n", None),
        (f"{ANN},,\n", None),
    ],
)
def test_a_column_of_opt_outs_says_no_and_never_yes(desk: Desk, row: str, said: str | None) -> None:
    desk.write("c.csv", f"{OUT}{row}bob@example.com,,2025-01-01\n")
    columns = {
        "customer_id": "email",
        "email": "email",
        "email_opt_out": "Unsubscribed",
        "email_opt_out_at": "Unsubscribed at",
    }
    desk.bring({"name": "list", "table": "customers", "path": "c.csv", "columns": columns})
    found: dict[str, Any] = {row["customer_id"]: row["said"] for row in desk.rows("permissions")}
    assert found.get(ANN) == said
    assert found[BOB] == "no"
