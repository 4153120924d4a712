"""Columns that several tables share, with the headers they are found under."""

from __future__ import annotations

from rekindle.facts.contracts.model import INSTANT, MONEY, Column

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
        "invoice",
        "invoice_no",
        "invoiceno",
        "invoice_id",
        "basket_id",
        "transaction_id",
        "receipt",
        "bestellnummer",
        "rechnungsnummer",
        "name",
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
DISCOUNT_CODE = Column(
    "discount_code",
    "string",
    "The code typed at the till; several stand between commas. By it an offer is redeemed.",
    words=(
        "discount_code",
        "discount_codes",
        "coupon",
        "coupon_code",
        "coupon_codes",
        "coupons",
        "voucher",
        "voucher_code",
        "promo_code",
        "promotion_code",
        "gutscheincode",
        "rabattcode",
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
    "The order's state: what was cancelled, never paid, a draft or a test is no purchase. A word "
    "that is not known is named, and taken as a purchase until `states` of the source says "
    "what it is.",
    words=("status", "order_status", "financial_status", "state"),
)
EMAIL = Column(
    "email",
    "string",
    "The customer's e-mail address.",
    words=(
        "email",
        "e_mail",
        "email_address",
        "customer_email",
        "mail",
        "billing_email",
        "from_email_address",
        "e_mail_adresse",
        "absender_e_mail_adresse",
        "adresse_e_mail",
        "courriel",
        "correo_electronico",
        "correo_electrónico",
    ),
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
REGION = Column(
    "region",
    "string",
    "The customer's state, ISO 3166-2 code or name: some states have laws of their own.",
    words=(
        "region",
        "province_code",
        "state_code",
        "billing_state",
        "shipping_state",
        "billing_province",
        "shipping_province",
        "province",
        "bundesland",
    ),
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
DISCOUNT = Column(
    "discount",
    MONEY,
    "Taken off the order, as a positive amount.",
    words=("discount", "discounts"),
)
REFUND = Column(
    "refund",
    MONEY,
    "Given back of the order, as a positive amount.",
    words=("refund", "refunded", "refund_amount", "refunded_amount"),
)
REFUNDED_AT = Column(
    "refunded_at",
    INSTANT,
    "When it was given back, the last of it.",
    words=("refunded_at", "refund_date", "refunded_on", "refund_at", "returned_at"),
)
CANCELLED_AT = Column(
    "cancelled_at",
    INSTANT,
    "When the order was cancelled.",
    words=("cancelled_at", "canceled_at", "cancelled_on", "canceled_on", "voided_at"),
)
CARD = (EMAIL, PHONE, FIRST_NAME, COUNTRY, REGION)
