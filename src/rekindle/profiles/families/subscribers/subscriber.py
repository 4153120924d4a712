"""Subscriber: what the person pays for again and again, or why and when they left."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from rekindle.config import LifecycleSettings
from rekindle.profiles.families.subscribers.pauses import INNER as PAUSE
from rekindle.profiles.families.subscribers.subscriber_states import INNER
from rekindle.profiles.model import DTYPES, Derivation, Family, ProfileColumn
from rekindle.subscriptions import MONTH_DAYS, ChurnKind

SUBSCRIBED, PAUSED, GONE = "subscribed", "paused", "gone"
SHORTER = 2.5  # days: so much less than the mean the shortest month has

COLUMNS = (
    ProfileColumn(
        "subscription_state",
        "text",
        "",
        "How they stand as a subscriber; empty for who never paid for a subscription.",
        words=(SUBSCRIBED, PAUSED, GONE),
        place=410,
        is_covariate=True,
    ),
    ProfileColumn(
        "subscription_plan",
        "text",
        "",
        "The plan that they began or changed to last.",
        place=411,
        is_covariate=True,
    ),
    ProfileColumn("mrr", "money", "a month", "What they pay a month; 0 in a pause.", place=412),
    ProfileColumn(
        "subscribed_on",
        "date",
        "",
        "When the stay began that runs, or that ended last.",
        place=413,
    ),
    ProfileColumn(
        "paid_months",
        "count",
        "months",
        "Whole months that were paid for, over all stays; pauses left out.",
        blank=0,
        place=414,
    ),
    ProfileColumn("times_churned", "count", "", "How often they left.", blank=0, place=415),
    ProfileColumn(
        "times_churned_unpaid",
        "count",
        "",
        "How often they left as a payment failed, as it was known when they came back.",
        blank=0,
        place=416,
    ),
    ProfileColumn(
        "subscription_value",
        "money",
        "",
        "What they brought so far, by MRR and days; refunds and fees are not taken off.",
        place=420,
    ),
    ProfileColumn(
        "churned_mrr",
        "money",
        "a month",
        "What they paid a month before they left last, or before the pause in which they did.",
        place=421,
    ),
    ProfileColumn("churned_on", "date", "", "When they left last.", place=417),
    ProfileColumn(
        "churn_kind",
        "text",
        "",
        "How they came to leave last: a payment failed, they cancelled, or they leave in the same "
        "months every year.",
        words=tuple(ChurnKind),
        place=418,
        is_covariate=True,
    ),
    ProfileColumn(
        "churn_reason",
        "text",
        "",
        "Why they left last, as they or the system said it, in small letters.",
        place=419,
        is_covariate=True,
    ),
    ProfileColumn(
        "months_since_churn",
        "count",
        "months",
        "Whole months since they left; empty for who is subscribed.",
        place=422,
    ),
    ProfileColumn(
        "resumes_on",
        "date",
        "",
        "When what rests is to go on by itself, as it was announced; empty for who has not paused, "
        "and where nobody said.",
        place=424,
    ),
)


def build_subscriber(table: ir.Table, settings: LifecycleSettings) -> ir.Table:
    """Add how the person stands as a subscriber, from the newest state."""
    if "subscriber_seats" not in table.columns:
        return table
    is_here = table.subscriber_seats > 0
    pays = table.subscriber_mrr > 0
    never = table.subscriber_came_on.isnull()
    running = ibis.ifelse(pays, table.as_of_on.delta(table.subscriber_on, unit="day"), 0)
    brought = table.subscriber_brought + table.subscriber_mrr * running
    shown = {
        "subscription_state": ibis.cases(
            (never, ibis.null("string")),
            (is_here & pays, SUBSCRIBED),
            (is_here, PAUSED),
            else_=GONE,
        ),
        "subscription_plan": table.subscriber_plan,
        "mrr": table.subscriber_mrr,
        "subscribed_on": table.subscriber_came_on,
        "paid_months": ibis.coalesce(_months(table.subscriber_paid_days + running), 0),
        "times_churned": ibis.coalesce(table.subscriber_times, 0),
        "times_churned_unpaid": ibis.coalesce(table.subscriber_times_unpaid, 0),
        "subscription_value": (brought.cast("float64") / MONTH_DAYS).round(4),
        "churned_mrr": table.subscriber_lost,
        "churned_on": table.subscriber_left_on,
        "churn_kind": table.subscriber_kind,
        "churn_reason": table.subscriber_reason,
        "months_since_churn": ibis.ifelse(
            is_here, ibis.null("int64"), _months_between(table.subscriber_left_on, table.as_of_on)
        ),
        "resumes_on": _resumes_on(table, is_here & ~pays),
    }
    types = {column.name: DTYPES[column.type] for column in COLUMNS}
    return table.mutate(**{name: value.cast(types[name]) for name, value in shown.items()})


def _resumes_on(table: ir.Table, rests: ir.Value) -> ir.Value:
    """Return when a pause ends by itself that is not over, of who rests."""
    if "pause_planned_on" not in table.columns:
        return ibis.null("date")
    is_over = ibis.coalesce(table.pause_over_at < table.as_of, False)
    return ibis.ifelse(rests & ~is_over, table.pause_planned_on, ibis.null("date"))


def _months(days: ir.Value) -> ir.Value:
    """Return whole months of so many days; a short one, of 28 days, is one as well."""
    return ((days.cast("float64") + SHORTER) / MONTH_DAYS).floor().cast("int64")


def _months_between(since: ir.Value, until: ir.Value) -> ir.Value:
    """Return the whole months of the calendar between two days."""
    months = (until.year() - since.year()) * 12 + until.month() - since.month()
    return (months - ibis.ifelse(until.day() < since.day(), 1, 0)).cast("int64")


FAMILY = Family(
    name="subscriber",
    meaning="What the person pays for again and again, or when and why they left.",
    columns=COLUMNS,
    how=Derivation(build_subscriber, is_of_one_row=True),
    may_use=(*INNER, *PAUSE),
)
