"""Tallies: what accumulates about a customer, before any date is asked about.

One list of measures serves two shapes. ``build_tallies`` folds a customer's history up
to one instant into a row; ``build_timeline`` keeps a row after every order, valid until
the next, so that many instants can be asked at once and give the very same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from rekindle.facts import Facts
from rekindle.profiles.season import build_season
from rekindle.profiles.taste import build_category_spending, join_taste, join_taste_over_time

INSTANT = "timestamp('UTC', 6)"
Measure = Callable[[ir.Table], ir.Value]

MEASURES: Mapping[str, Measure] = {
    "orders_count": lambda t: t.is_purchase.ifelse(1, 0).sum(),
    "purchase_days_count": lambda t: t.is_new_day.ifelse(1, 0).sum(),
    "gross_value": lambda t: t.gross.sum(),
    "discount_value": lambda t: t.discount.fill_null(0).sum(),
    "refund_value": lambda t: t.refund.fill_null(0).sum(),
    "first_order_at": lambda t: t.purchase_at.min(),
    "last_order_at": lambda t: t.purchase_at.max(),
    "first_order_on": lambda t: t.purchase_on.min(),
    "last_order_on": lambda t: t.purchase_on.max(),
    "previous_order_on": lambda t: t.day_before.max(),
}
COUNTS = ("orders_count", "purchase_days_count")
# The columns of a contact card, for who has none.
NO_CARD: Mapping[str, ir.Value] = {
    "country": ibis.null().cast("string"),
    "renews_on": ibis.null().cast("date"),
    "has_email": ibis.literal(False),
}
AMOUNTS = ("gross_value", "discount_value", "refund_value")


def local_day(at: datetime, zone: str) -> date:
    """Return the calendar day of an instant in the business's zone."""
    return at.astimezone(ZoneInfo(zone)).date()


def build_tallies(facts: Facts, as_of: datetime) -> ir.Table:
    """Return one row a customer known before ``as_of``: measures, season, taste and card.

    The columns ``as_of`` and ``as_of_on`` carry the question's date.
    """
    known, as_of_on = facts.cut(as_of), local_day(as_of, facts.zone)
    steps = _build_steps(known)
    table = steps.group_by("customer_id").agg(
        **{name: measure(steps) for name, measure in MEASURES.items()},
        season_on=build_season(steps.purchase_on, as_of_on),
    )
    if known.has_categories:
        table = join_taste(table, build_category_spending(known))
    table = _with_cards(table, known)
    return table.mutate(as_of=ibis.literal(as_of, type=INSTANT), as_of_on=ibis.date(as_of_on))


def build_timeline(facts: Facts) -> ir.Table:
    """Return a row for every order of every customer, with what was known after it.

    ``valid_from`` is the order's instant and ``valid_to`` the next one's (far in the
    future for the last): the row answers every question with
    ``valid_from < as_of <= valid_to``, as ``build_tallies`` cuts rows before ``as_of``.
    """
    steps = _build_steps(facts)
    order = [steps.ordered_at, steps.source, steps.order_id]
    so_far = ibis.window(group_by=steps.customer_id, order_by=order, rows=(None, 0))
    whole = ibis.window(group_by=steps.customer_id, order_by=order)
    end = ibis.literal(datetime(9999, 1, 1), type="timestamp").cast(INSTANT)
    table = steps.select(
        "customer_id",
        **{name: measure(steps).over(so_far) for name, measure in MEASURES.items()},
        valid_from=steps.ordered_at,
        valid_to=ibis.coalesce(steps.ordered_at.lead().over(whole), end),
    )
    table = table.filter(table.valid_from < table.valid_to)
    if facts.has_categories:
        table = join_taste_over_time(table, build_category_spending(facts))
    return table


def _build_steps(facts: Facts) -> ir.Table:
    """Return every order of a known customer, with the purchase day before it."""
    orders = facts.orders
    orders = orders.filter(orders.customer_id.notnull())
    is_purchase = orders.kind == "purchase"
    bought = orders.mutate(
        is_purchase=is_purchase,
        purchase_at=is_purchase.ifelse(orders.ordered_at, ibis.null()),
        purchase_on=is_purchase.ifelse(orders.ordered_on, ibis.null()),
    )
    before = ibis.window(
        group_by=bought.customer_id,
        order_by=bought.ordered_at,
        rows=(None, -1),
    )
    steps = bought.mutate(seen_on=bought.purchase_on.max().over(before))
    is_new_day = steps.is_purchase & (steps.seen_on.isnull() | (steps.seen_on < steps.ordered_on))
    return steps.mutate(
        is_new_day=is_new_day, day_before=is_new_day.ifelse(steps.seen_on, ibis.null())
    )


def _with_cards(table: ir.Table, facts: Facts) -> ir.Table:
    """Add the card's columns, and the people on a card who never bought."""
    if not facts.has_cards:
        return table.mutate(**NO_CARD)
    cards = build_cards(facts)
    joined = table.outer_join(cards, table.customer_id == cards.card_id)
    amount = {n: ibis.coalesce(joined[n], ibis.literal(0, joined[n].type())) for n in AMOUNTS}
    return joined.mutate(
        customer_id=ibis.coalesce(joined.customer_id, joined.card_id),
        has_email=ibis.coalesce(joined.has_email, ibis.literal(False)),
        **{name: ibis.coalesce(joined[name], 0) for name in COUNTS},
        **amount,
    ).drop("card_id")


def build_cards(facts: Facts) -> ir.Table:
    """Return ``card_id`` and a card's columns for everyone with one, or with several."""
    cards = facts.customers
    return cards.group_by(card_id=cards.customer_id).agg(
        country=cards.country.max(),
        renews_on=cards.renews_on.max(),
        has_email=cards.email.notnull().any(),
    )
