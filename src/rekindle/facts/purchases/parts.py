"""Refunds that an order gave in parts: each with its own instant and amount.

The order itself holds the whole and the last date. What had been given back by each date
before is kept beside it, so that a question of that date finds it.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

KEYS = ("source", "order_id", "epoch_at")


def join_given(orders: ir.Table, steps: ir.Table, at: ir.Value) -> ir.Table:
    """Return the orders with ``given_before``, what was given back before ``at``."""
    known = steps.filter(steps.known_at < at)
    known = known.group_by(_source=known.source, _order_id=known.order_id).agg(
        given=known.given.max()
    )
    joined = orders.left_join(
        known, [orders.source == known._source, orders.order_id == known._order_id]
    )
    # A refund may have been corrected to less than was said of it once.
    given = ibis.least(ibis.coalesce(joined.given, 0), joined.refund)
    joined = joined.mutate(given_before=given.cast(orders.refund.type()))
    # A join that is joined again takes its tables apart; a filter keeps it whole.
    return joined.filter(joined.order_id.notnull())


def take_apart(refunds: ir.Table, steps: ir.Table) -> ir.Table:
    """Return rows of whole refunds, each as the parts in which it was given.

    A row is dated by ``refund_known_at``, its parts by instants of their own, none of them
    before the order's, ``placed_at``.
    """
    earlier = steps.select(_source="source", _order_id="order_id", given_at="known_at", by="given")
    joined = refunds.inner_join(
        earlier, [refunds.source == earlier._source, refunds.order_id == earlier._order_id]
    )
    joined = joined.filter(joined.given_at < joined.refund_known_at)
    parts = joined.mutate(
        ordered_at=ibis.greatest(joined.given_at, joined.placed_at),
        by=ibis.least(joined.by, joined.refund),
    )
    whole = refunds.mutate(by=refunds.refund)
    rows = parts.select(*refunds.columns, "by").union(whole.select(*refunds.columns, "by"))
    earlier_rows = ibis.window(
        group_by=[rows[key] for key in KEYS], order_by=[rows.ordered_at, rows.by], rows=(None, -1)
    )
    before = ibis.coalesce(rows.by.max().over(earlier_rows), 0)
    part = ibis.greatest(rows.by - before, 0).cast(refunds.refund.type())
    return rows.mutate(refund=part)
