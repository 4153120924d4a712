"""What customers pay for again and again."""

from __future__ import annotations

from rekindle.facts.contracts.columns import CURRENCY, CUSTOMER_ID, SOURCE
from rekindle.facts.contracts.model import INSTANT, MONEY, Column, Contract

SUBSCRIPTION_ID = Column(
    "subscription_id",
    "string",
    "The subscription, as its system numbers it.",
    required=True,
    words=("subscription_id", "subscription", "sub_id", "subscription_no", "contract_id", "id"),
)
SUBSCRIBER = Column(
    "customer_id",
    "string",
    "Who pays.",
    required=True,
    words=(*CUSTOMER_ID.words, "subscriber_id", "subscriber", "organization_id", "company_id"),
)
PLAN = Column(
    "plan",
    "string",
    "The plan's name.",
    words=("plan", "plan_name", "plan_tier", "plan_id", "tier", "product_name", "product", "tarif"),
)
AMOUNT = Column(
    "amount",
    MONEY,
    "What one interval costs, net of discounts, of one unit where `quantity` says how many.",
    words=("amount", "price", "plan_amount", "unit_amount", "betrag"),
)
MRR = Column(
    "mrr",
    MONEY,
    "What it brings a month, net of discounts; wins over `amount`.",
    words=("mrr", "mrr_amount", "monthly_recurring_revenue", "monthly_amount"),
)
QUANTITY = Column(
    "quantity",
    "int64",
    "How many units of `amount` are paid for; one where nothing says.",
    words=("quantity", "qty", "menge"),
)
INTERVAL = Column(
    "interval",
    "string",
    "How long one payment lasts: day, week, month, quarter or year, also as monthly or `3 months`; "
    "`one_off` for what is paid once and brings nothing a month. A month where nothing says.",
    words=(
        "interval",
        "billing_frequency",
        "billing_interval",
        "billing_period",
        "billing_cycle",
        "plan_interval",
        "frequency",
    ),
)
INTERVAL_COUNT = Column(
    "interval_count",
    "int64",
    "How many of them one payment lasts; one where nothing says.",
    words=("interval_count", "plan_interval_count", "billing_interval_count"),
)
CHANGED_IN = Column("changed_in", "int64", "The import that last changed it.", is_input=False)
PRICE = (PLAN, MRR, AMOUNT, QUANTITY, INTERVAL, INTERVAL_COUNT, CURRENCY)

CONTRACT = Contract(
    "subscriptions",
    "What customers pay for again and again, as it began; `subscription_changes` has what "
    "became of its price.",
    ("source", "subscription_id"),
    (
        SOURCE,
        SUBSCRIPTION_ID,
        SUBSCRIBER,
        Column(
            "started_at",
            INSTANT,
            "When it began.",
            required=True,
            words=("started_at", "start_date", "started", "starts_at", "start", "created_at"),
        ),
        Column(
            "ended_at",
            INSTANT,
            "When the last paid period ended, or will end; empty while it runs.",
            words=("ended_at", "end_date", "ended", "ends_at", "end", "expired_at"),
        ),
        Column(
            "cancelled_at",
            INSTANT,
            "When it was cancelled, which is before it ends.",
            words=("cancelled_at", "canceled_at", "cancelled_on", "canceled_on", "cancel_date"),
        ),
        *PRICE,
        Column(
            "is_trial",
            "boolean",
            "Whether it is tried out and nothing is paid yet.",
            words=("is_trial", "trial", "on_trial"),
        ),
        Column(
            "end_reason",
            "string",
            "Why it ended, in the words of its system, as payment_failed.",
            words=("end_reason", "cancellation_reason", "cancel_reason", "churn_reason"),
        ),
        Column(
            "known_in",
            "int64",
            "The import that first showed it as one that this customer pays for; imports are "
            "numbered, and numbers grow.",
            is_input=False,
        ),
        Column(
            "sold_in",
            "int64",
            "The import that made it one that is paid for of what cost nothing before.",
            is_input=False,
        ),
        Column("moved_in", "int64", "The import that last changed its start.", is_input=False),
        Column(
            "moved_from",
            INSTANT,
            "The earliest start it had before its start was changed.",
            is_input=False,
        ),
        Column(
            "begun_count",
            "int64",
            "How often it began: once more where it had ended and the same number begins later.",
            is_input=False,
        ),
        CHANGED_IN,
    ),
    known_at="started_at",
    is_optional=True,
    outlives_people=True,
)
