"""Last year's season: the next day that lies a year after a purchase day.

Who bought for an occasion may want to again when it returns. Which purchase comes round
next depends on the date, so it is no tally: one date has a bound to fold above, and many
dates are looked up in spells.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import ibis
import ibis.expr.types as ir

from rekindle.facts import PURCHASE, Facts
from rekindle.profiles.model import Family, ProfileColumn, Spells

LONG_AGO = date(1, 1, 1)


def build_season(orders: ir.Table, as_of_on: ir.DateScalar) -> Mapping[str, ir.Value]:
    """Return, as a fold over purchase days, the next of them to come round.

    Engines move 29 February a year on to the 28th.
    """
    days = orders.purchase_on
    # The question's day is moved, once, rather than the day of every purchase.
    since = (as_of_on - ibis.interval(years=1)).cast("date")
    day_later = (since + ibis.interval(days=1)).cast("date")
    # What comes round on a 29 February was not bought on the 28th.
    since = (_a_year_after(since) < as_of_on).ifelse(day_later, since)
    return {"season_on": _a_year_after(days.min(where=days >= since))}


def build_seasons(facts: Facts) -> ir.Table:
    """Return a spell for every purchase day: when it is the next to come round.

    ``season_on`` answers every question with ``after_on < as_of_on <= season_on``, where
    the purchase is known and stands: ``bought_at < as_of <= epoch_until``.
    """
    orders = facts.in_epochs()
    bought = orders.filter((orders.kind == PURCHASE) & orders.customer_id.notnull())
    days = bought.group_by(
        "epoch_at", "epoch_until", buyer_id=bought.customer_id, bought_on=bought.ordered_on
    ).agg(bought_at=bought.ordered_at.min())
    days = days.mutate(season_on=_a_year_after(days.bought_on))
    whole = ibis.window(group_by=[days.buyer_id, days.epoch_at], order_by=days.bought_on)
    before = days.season_on.lag().over(whole)
    return days.select(
        "buyer_id",
        "season_on",
        "epoch_until",
        bought_at=ibis.greatest(days.bought_at, days.epoch_at),
        after_on=ibis.coalesce(before, ibis.date(LONG_AGO)),
    )


def join_season(rows: ir.Table, seasons: ir.Table) -> ir.Table:
    """Add ``season_on`` to rows with ``customer_id``, ``as_of`` and ``as_of_on``."""
    joined = rows.left_join(
        seasons,
        [
            rows.customer_id == seasons.buyer_id,
            rows.as_of > seasons.bought_at,
            rows.as_of <= seasons.epoch_until,
            rows.as_of_on > seasons.after_on,
            rows.as_of_on <= seasons.season_on,
        ],
    )
    return joined.drop("buyer_id", "bought_at", "epoch_until", "after_on")


def _a_year_after(day: ir.Value) -> ir.Value:
    return (day + ibis.interval(years=1)).cast("date")


FAMILY = Family(
    name="season",
    meaning="What was bought a year ago and may be wanted again.",
    columns=(
        ProfileColumn(
            "season_on",
            "date",
            "",
            "Last year's season: the next day, today included, a year after a purchase day; "
            "empty without one in the past year. A 29 February comes again on the 28th.",
            place=150,
        ),
    ),
    how=Spells(fold=build_season, build=build_seasons, join=join_season),
    tables=("orders",),
)
