"""Payment cards: what is known of each as it was added or renewed; shown by ``paying``."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from rekindle.facts import Facts
from rekindle.profiles.model import Family, RowTally

INNER = ("card_last_day_on", "card_removed_at")
CENTURY = 2000


def build_cards(facts: Facts) -> ir.Table:
    """Return one row a person and instant; of several cards of one instant, the longest good."""
    rows = facts.more["payment_methods"]
    rows = rows.filter(rows.customer_id.notnull() & rows.since.notnull())
    year = ibis.ifelse(rows.expiry_year < 100, rows.expiry_year + CENTURY, rows.expiry_year)
    is_month = rows.expiry_month.between(1, 12) & year.between(1970, 2199)
    # Engines may work a day out before they look whether it is one.
    first = ibis.date(year.clip(1970, 2199), rows.expiry_month.clip(1, 12), 1)
    last = first + ibis.interval(months=1) - ibis.interval(days=1)
    rows = rows.mutate(last_day_on=is_month.ifelse(last.cast("date"), ibis.null("date")))
    return rows.group_by("customer_id", at=rows.since).agg(
        card_last_day_on=rows.last_day_on.max(), card_removed_at=rows.removed_at.max()
    )


FAMILY = Family(
    name="payment_cards",
    meaning="When each of the person's cards expires; shown by `paying`.",
    columns=(),
    how=RowTally(build_cards, {}, newest=INNER),
    tables=("payment_methods",),
    inner=INNER,
    is_known=lambda facts: facts.has_subscriptions,
)
