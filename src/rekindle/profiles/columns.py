"""The catalogue of profile columns: name, type, unit and meaning.

It is what an audience may ask about, what the reference page prints, and what a test
holds the built profile against.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ColumnType = Literal["text", "count", "number", "money", "date", "instant", "flag"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the profile. ``unit`` is empty where the type says it all."""

    name: str
    type: ColumnType
    unit: str
    meaning: str


COLUMNS = (
    Column("customer_id", "text", "", "The person."),
    Column(
        "tier",
        "text",
        "",
        "prospect, new, active, at_risk, lapsed, dormant, gone or returned.",
    ),
    Column(
        "tier_since_on",
        "date",
        "",
        "The day the tier began: for at_risk and later the day silence crossed the line, "
        "else the last purchase; empty for a prospect.",
    ),
    Column("silence_days", "count", "days", "Since the last purchase day; empty for a prospect."),
    Column(
        "silence_ratio",
        "number",
        "",
        "Silence ÷ expected gap; 1.5 makes at_risk with the default clock.",
    ),
    Column("orders_count", "count", "orders", "Purchases so far, refunded ones included."),
    Column("purchase_days_count", "count", "days", "Different days with a purchase."),
    Column("first_order_at", "instant", "UTC", "The first purchase."),
    Column("last_order_at", "instant", "UTC", "The last purchase."),
    Column("first_order_on", "date", "", "Its day, in the business's zone."),
    Column("last_order_on", "date", "", "Its day, in the business's zone."),
    Column("previous_order_on", "date", "", "The purchase day before the last one."),
    Column(
        "mean_gap_days",
        "number",
        "days",
        "Between one's own purchase days; empty before the second.",
    ),
    Column(
        "expected_gap_days",
        "number",
        "days",
        "The own mean gap, shrunk towards the main category's and the shop's.",
    ),
    Column(
        "refill_due_on",
        "date",
        "",
        "The last purchase day plus the expected gap in whole days; empty for a prospect.",
    ),
    Column(
        "season_on",
        "date",
        "",
        "Last year's season: the next day, today included, a year after a purchase day; "
        "empty without one in the past year. A 29 February comes again on the 28th.",
    ),
    Column("at_risk_after_days", "number", "days", "The silence at which at_risk begins."),
    Column(
        "at_risk_on",
        "date",
        "",
        "The day at_risk begins or began if no purchase comes first; empty for a prospect.",
    ),
    Column("lapsed_after_days", "number", "days", "The silence at which lapsed begins."),
    Column("dormant_after_days", "number", "days", "The silence at which dormant begins."),
    Column("gone_after_days", "number", "days", "The silence at which gone begins."),
    Column("gross_value", "money", "currency", "Everything bought, before discounts and refunds."),
    Column("discount_value", "money", "currency", "Discounts received, as a positive amount."),
    Column("refund_value", "money", "currency", "Refunds received, as a positive amount."),
    Column("lifetime_value", "money", "currency", "Net revenue: gross − discounts − refunds."),
    Column(
        "average_order_value",
        "number",
        "currency",
        "Gross less discounts, per purchase; empty for a prospect.",
    ),
    Column(
        "value_band",
        "text",
        "",
        "high (top fifth of buyers by lifetime value), middle, or low (lower half).",
    ),
    Column("top_category", "text", "", "The category most was spent on; empty without categories."),
    Column("top_category_share", "number", "share 0–1", "Its share of spending with a category."),
    Column("country", "text", "", "From the contact card."),
    Column(
        "renews_on",
        "date",
        "",
        "When the plan renews, as the contact card says now; empty without one.",
    ),
    Column("has_email", "flag", "", "Whether an e-mail address is known."),
)
