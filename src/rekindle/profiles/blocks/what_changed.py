"""What changed since you left: the business's own log of changes since then."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from rekindle.facts import INSTANT
from rekindle.profiles.showing import Block, Sales, find_liked
from rekindle.subscriptions import build_purchases

# Above any number of seconds: what is about the own category comes first.
OWN = 1e12
EPOCH = ibis.date(1970, 1, 1)


def tell_changes(sales: Sales) -> ir.Table:
    """Return what changed after each person was last here, the newest first."""
    here = _list_visits(sales).semi_join(sales.people, "customer_id")
    left = here.group_by("customer_id").agg(left_at=here.here_at.max())
    left = left.left_join(find_liked(sales.theirs), "customer_id").drop("customer_id_right")
    rows = left.cross_join(sales.facts.more["changes"].rename(told="text", about="category"))
    rows = rows.filter(rows.changed_at > rows.left_at)
    is_own = (rows.about == rows.liked).fill_null(False)
    day = rows.changed_at.date().delta(EPOCH, unit="day")
    return rows.select(
        "customer_id",
        "url",
        key=rows.title,
        name=rows.title,
        text=rows.told,
        category=rows.about,
        at=rows.changed_at,
        # The newest day first: not every warehouse counts the seconds of an instant.
        score=is_own.ifelse(OWN, 0.0) + day.cast("float64"),
    )


def _list_visits(sales: Sales) -> ir.Table:
    """Return ``customer_id`` and ``here_at``: each purchase, and each subscription's end."""
    facts = sales.facts
    here = build_purchases(facts.orders, facts).select("customer_id", here_at="ordered_at")
    if not facts.has_subscriptions:
        return here
    ended = facts.more["subscriptions"]
    ended = ended.filter(ended.ended_at < ibis.literal(sales.at, type=INSTANT))
    return here.union(ended.select("customer_id", here_at="ended_at"))


BLOCK = Block(
    name="what_changed",
    meaning="What the table `changes` says has changed since they last bought, or since their last "
    "subscription ended, about their favourite category first: `name`, `text`, `url` and `on`.",
    otherwise="nothing: leave its section out",
    tell=tell_changes,
)
