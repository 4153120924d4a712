"""What changed since you left: the business's own log of changes since the last purchase."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from rekindle.profiles.showing import Block, Sales, find_liked

# Above any number of seconds: what is about the own category comes first.
OWN = 1e12
EPOCH = ibis.date(1970, 1, 1)


def tell_changes(sales: Sales) -> ir.Table:
    """Return what changed after each person's last purchase, the newest first."""
    theirs = sales.theirs
    left = theirs.group_by("customer_id").agg(left_at=theirs.ordered_at.max())
    left = left.left_join(find_liked(theirs), "customer_id").drop("customer_id_right")
    rows = left.cross_join(sales.facts.more["changes"].rename(told="text", about="category"))
    rows = rows.filter(rows.changed_at > rows.left_at)
    is_own = (rows.about == rows.liked).fill_null(False)
    on = rows.changed_at.date()
    day = on.delta(EPOCH, unit="day")
    return rows.select(
        "customer_id",
        "url",
        key=rows.title,
        name=rows.title,
        text=rows.told,
        category=rows.about,
        on=on,
        # The newest day first: not every warehouse counts the seconds of an instant.
        score=is_own.ifelse(OWN, 0.0) + day.cast("float64"),
    )


BLOCK = Block(
    name="what_changed",
    meaning="What the table `changes` says has changed since they last bought, about their "
    "favourite category first: `name`, `text`, `url` and `on`.",
    otherwise="nothing: leave its section out",
    tell=tell_changes,
)
