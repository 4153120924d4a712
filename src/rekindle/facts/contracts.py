"""What each table of facts holds: columns, types, key, required or not.

A contract is the one description of a table. Imports check rows against it, the lake
is created from it, a warehouse is read as it, and the reference page is printed from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import ibis
import ibis.expr.datatypes as dt

MONEY = "decimal(18, 4)"
INSTANT = "timestamp('UTC', 6)"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: an Ibis type, whether a row may lack it, and what it means.

    ``words`` are header words under which the column is known in exports.
    ``is_input`` is False for what the import itself works out.
    """

    name: str
    type: str
    meaning: str
    required: bool = False
    words: tuple[str, ...] = ()
    is_input: bool = True


@dataclass(frozen=True, slots=True)
class Contract:
    """One table: its columns in order, and the key a row is upserted by."""

    table: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    extra_inputs: tuple[Column, ...] = field(default=())

    @property
    def schema(self) -> ibis.Schema:
        """Return the table's Ibis schema."""
        return ibis.schema({column.name: dt.dtype(column.type) for column in self.columns})

    @property
    def inputs(self) -> tuple[Column, ...]:
        """Return the columns a source may give, in the order they are looked for."""
        return tuple(c for c in self.columns if c.is_input) + self.extra_inputs


SOURCE = Column("source", "string", "The name of the source, from rekindle.toml.", is_input=False)

ORDER_ID = Column(
    "order_id",
    "string",
    "The shop's own number of the order.",
    required=True,
    words=(
        "order_id",
        "order",
        "order_number",
        "order_no",
        "order_name",
        "name",
        "invoice",
        "invoice_no",
        "invoiceno",
        "invoice_id",
        "basket_id",
        "transaction_id",
        "receipt",
        "bestellnummer",
        "rechnungsnummer",
        "id",
    ),
)
CUSTOMER_ID = Column(
    "customer_id",
    "string",
    "Who bought; empty for an anonymous sale.",
    words=(
        "customer_id",
        "customer",
        "customerid",
        "customer_no",
        "client_id",
        "user_id",
        "user",
        "household_id",
        "member_id",
        "account_id",
        "shopper_id",
        "buyer_id",
        "kundennummer",
        "kunde",
    ),
)
ORDERED_AT = Column(
    "ordered_at",
    INSTANT,
    "When the order was placed.",
    required=True,
    words=(
        "ordered_at",
        "order_date",
        "invoicedate",
        "invoice_date",
        "date",
        "day",
        "created_at",
        "transaction_timestamp",
        "timestamp",
        "datetime",
        "purchased_at",
        "paid_at",
        "time",
        "bestelldatum",
        "datum",
    ),
)
CURRENCY = Column(
    "currency",
    "string",
    "ISO 4217 code; the workspace's where the source names none.",
    words=("currency", "currency_code", "währung"),
)
STATUS = Column(
    "status",
    "string",
    "The order's state; cancelled, canceled, void and voided are no purchase.",
    words=("status", "order_status", "financial_status", "state"),
)
EMAIL = Column(
    "email",
    "string",
    "The customer's e-mail address.",
    words=("email", "e_mail", "email_address", "customer_email", "mail", "billing_email"),
)
FIRST_NAME = Column(
    "first_name",
    "string",
    "What the customer is called in a message.",
    words=("first_name", "firstname", "given_name", "vorname"),
)
COUNTRY = Column(
    "country",
    "string",
    "The customer's country, ISO 3166 code or name.",
    words=("country", "country_code", "shipping_country", "billing_country", "land"),
)
PHONE = Column(
    "phone",
    "string",
    "The customer's phone number, in international form (+44…) where known.",
    words=(
        "phone",
        "phone_number",
        "mobile",
        "mobile_phone",
        "mobile_number",
        "telephone",
        "tel",
        "customer_phone",
        "billing_phone",
        "shipping_phone",
        "telefon",
        "telefonnummer",
        "mobil",
        "handy",
    ),
)
CARD = (EMAIL, PHONE, FIRST_NAME, COUNTRY)

CUSTOMERS = Contract(
    "customers",
    "Contact cards: who a customer is and what they agreed to.",
    ("customer_id",),
    (
        SOURCE,
        Column(
            "customer_id",
            "string",
            "The customer.",
            required=True,
            words=("customer_id", "id", *CUSTOMER_ID.words[1:]),
        ),
        EMAIL,
        PHONE,
        FIRST_NAME,
        Column("last_name", "string", "Family name.", words=("last_name", "surname")),
        COUNTRY,
        Column("timezone", "string", "IANA zone.", words=("timezone", "time_zone", "tz")),
        Column(
            "created_at",
            INSTANT,
            "When the customer became known.",
            words=("created_at", "signup_date", "registered_at", "created", "joined_at"),
        ),
        Column(
            "email_consent",
            "boolean",
            "Agreed to marketing by e-mail; empty when never asked.",
            words=("email_consent", "accepts_marketing", "marketing_consent", "opt_in", "consent"),
        ),
        Column(
            "email_consent_at",
            INSTANT,
            "When that was stated. Where the source names no time, a first statement counts "
            "from `created_at`, a changed one from the import that brought it.",
            words=("email_consent_at", "consent_at", "consent_date", "opt_in_at"),
        ),
        Column(
            "renews_on",
            "date",
            "When the customer's plan renews, if there is one.",
            words=(
                "renews_on",
                "renews_at",
                "renewal_date",
                "renewal",
                "renewal_on",
                "next_renewal",
                "next_renewal_date",
                "next_billing_date",
                "next_billing_at",
                "current_period_end",
                "expires_on",
                "verlängerung",
            ),
        ),
    ),
)

ORDERS = Contract(
    "orders",
    "One row an order, cancellation or refund.",
    ("source", "order_id"),
    (
        SOURCE,
        ORDER_ID,
        CUSTOMER_ID,
        ORDERED_AT,
        Column(
            "ordered_on", "date", "The day, in the business's zone.", required=True, is_input=False
        ),
        Column(
            "kind",
            "string",
            "purchase, refund, cancelled, or free (nothing was paid).",
            required=True,
            is_input=False,
        ),
        Column(
            "gross",
            MONEY,
            "Goods at their price, before discounts and refunds.",
            required=True,
            words=(
                "gross",
                "total",
                "order_total",
                "amount",
                "total_price",
                "revenue",
                "value",
                "sales_value",
                "grand_total",
                "subtotal",
                "gesamtbetrag",
                "summe",
                "betrag",
            ),
        ),
        Column(
            "discount", MONEY, "Taken off, as a positive amount.", words=("discount", "discounts")
        ),
        Column(
            "refund",
            MONEY,
            "Given back, as a positive amount.",
            words=("refund", "refunded", "refund_amount", "refunded_amount"),
        ),
        CURRENCY,
    ),
    extra_inputs=(STATUS, *CARD),
)

ORDER_LINES = Contract(
    "order_lines",
    "One row a line of an order; folded into orders.",
    ("source", "order_id", "line"),
    (
        SOURCE,
        ORDER_ID,
        Column("line", "int64", "Place within the order, from 1.", required=True, is_input=False),
        Column(
            "product_id",
            "string",
            "What was bought.",
            words=(
                "product_id",
                "sku",
                "stockcode",
                "stock_code",
                "product",
                "item_id",
                "item",
                "variant_id",
                "article",
                "lineitem_sku",
                "artikelnummer",
            ),
        ),
        Column(
            "description",
            "string",
            "In words.",
            words=("description", "product_name", "title", "lineitem_name"),
        ),
        Column(
            "category",
            "string",
            "The product's category, where the line names it.",
            words=("category", "department", "product_category", "product_type"),
        ),
        Column(
            "quantity",
            MONEY,
            "How many; negative when given back.",
            required=True,
            words=("quantity", "qty", "units", "count", "lineitem_quantity", "menge", "anzahl"),
        ),
        Column(
            "unit_price",
            MONEY,
            "Price of one.",
            required=True,
            words=(
                "unit_price",
                "unitprice",
                "price",
                "item_price",
                "lineitem_price",
                "einzelpreis",
                "preis",
            ),
        ),
        Column("amount", MONEY, "Quantity × unit price.", required=True, is_input=False),
    ),
    extra_inputs=(CUSTOMER_ID, ORDERED_AT, CURRENCY, *CARD),
)

PRODUCTS = Contract(
    "products",
    "What the business sells.",
    ("product_id",),
    (
        SOURCE,
        Column(
            "product_id",
            "string",
            "The product.",
            required=True,
            words=("product_id", "id", "sku", "stockcode", "item_id"),
        ),
        Column("name", "string", "In words.", words=("name", "title", "description")),
        Column(
            "category",
            "string",
            "What taste is measured by.",
            words=("category", "product_category", "department", "product_type"),
        ),
    ),
)

EVENTS = Contract(
    "events",
    "What people did beside buying: visits, logins, clicks.",
    ("source", "event_id"),
    (
        SOURCE,
        Column(
            "event_id",
            "string",
            "The event's own id.",
            required=True,
            words=("event_id", "message_id", "messageid", "id"),
        ),
        Column("customer_id", "string", "Who did it.", required=True, words=CUSTOMER_ID.words),
        Column(
            "event",
            "string",
            "What was done.",
            required=True,
            words=("event", "event_name", "type", "action"),
        ),
        Column(
            "occurred_at",
            INSTANT,
            "When.",
            required=True,
            words=("occurred_at", "timestamp", "time", "date", "day", "created_at"),
        ),
    ),
)

QUARANTINE = Contract(
    "quarantine",
    "Rows that broke a contract, kept with their reason and place.",
    ("source", "file", "line", "reason"),
    (
        SOURCE,
        Column("table", "string", "The contract the row broke.", required=True),
        Column("file", "string", "Where it came from.", required=True),
        Column("line", "int64", "Its line in that file (a header is line 1).", required=True),
        Column("reason", "string", "Which rule it broke, in a word.", required=True),
        Column("detail", "string", "What was wrong and what to do.", required=True),
        Column("record", "string", "The row as read, as JSON."),
    ),
)

IMPORTS = Contract(
    "imports",
    "What the newest import of each file took and refused.",
    ("source", "file"),
    (
        SOURCE,
        Column("file", "string", "The file or query.", required=True),
        Column("table", "string", "The contract it was read as.", required=True),
        Column("read", "int64", "Rows read.", required=True),
        Column("quarantined", "int64", "Rows refused.", required=True),
        Column("anonymous", "int64", "Rows taken that name no customer.", required=True),
        Column("imported_at", INSTANT, "When.", required=True),
    ),
)

IDENTITIES = Contract(
    "identities",
    "Customer ids that belong to one person, found by a shared e-mail address.",
    ("customer_id",),
    (
        Column("customer_id", "string", "An id a source uses.", required=True),
        Column("person_id", "string", "The id the person goes by here.", required=True),
    ),
)

FACTS = (CUSTOMERS, ORDERS, ORDER_LINES, PRODUCTS, EVENTS)
BOOKKEEPING = (QUARANTINE, IMPORTS, IDENTITIES)
CONTRACTS = {contract.table: contract for contract in (*FACTS, *BOOKKEEPING)}
