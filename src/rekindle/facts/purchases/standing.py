"""What a purchase is, and until when an order was one.

An order that is met by an equal refund of the same customer within three days is *undone*:
until then it was a purchase, and from then on it is none. It keeps its amounts, so it still
counts in what was sold and what was given back. All questions about purchases take the
answer from here.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

import ibis
import ibis.expr.types as ir

from rekindle.facts.contracts import INSTANT, MONEY

PURCHASE, UNDONE, REFUND, CANCELLED = "purchase", "undone", "refund", "cancelled"
# Hours, for a day has 23 to 25 of them where a database's session has a zone.
HOURS = 72
LONG_AGO = datetime(1900, 1, 1)
FAR_OFF = datetime(9999, 1, 1)
Steps: TypeAlias = ir.Table | None


def is_bought(orders: ir.Table) -> ir.Value:
    """Return whether each order is or was a purchase that was paid: an undone one was."""
    return orders.kind.isin([PURCHASE, UNDONE])


def find_undone(orders: ir.Table, steps: Steps = None) -> ir.Table:
    """Return ``source``, ``order_id``, ``customer_id`` and ``undone_at`` of what was undone.

    Nothing that happens after ``undone_at`` has a say in it, so one table answers for every
    date: a refund undoes the newest equal purchase before it, and one that finds it undone
    already the newest before that. ``steps`` are what orders gave back before their last refund.
    """
    # Looked for among few: nearly all orders gave nothing back. Each part reads the table by
    # itself, for what they shared an engine would write out in full first.
    given_back = orders.filter(orders.customer_id.notnull() & (orders.refund > 0))
    found = _met_by_own_refund(_bought(given_back)).union(_met_by_refunds(orders, given_back))
    if steps is not None:
        found = found.union(_met_by_step(_bought(orders), steps))
    return found.group_by("source", "order_id", "customer_id").agg(undone_at=found.undone_at.min())


def _bought(orders: ir.Table) -> ir.Table:
    """Return what is or was a purchase, with ``paid`` and what was given ``back``."""
    placed = as_placed(orders)
    placed = placed.filter(placed.customer_id.notnull() & is_bought(placed))
    paid = (placed.gross - ibis.coalesce(placed.discount, 0)).cast(MONEY)
    placed = placed.mutate(paid=paid, back=ibis.coalesce(placed.refund, 0).cast(MONEY))
    return placed.filter(placed.paid > 0)


def as_placed(orders: ir.Table) -> ir.Table:
    """Return the orders with those cancelled later as the purchases they had been."""
    was_sold = is_cancelled_late(orders)
    return orders.mutate(
        kind=was_sold.ifelse(PURCHASE, orders.kind),
        gross=was_sold.ifelse(orders.sold_gross, orders.gross),
        discount=was_sold.ifelse(orders.sold_discount, orders.discount),
    )


def is_cancelled_late(orders: ir.Table) -> ir.Value:
    """Return whether each order was a purchase before it became known as cancelled."""
    was_sold = orders.sold_gross.notnull() & (orders.sold_gross > 0)
    known_at = orders.cancel_known_at
    return was_sold & known_at.notnull() & (known_at > orders.ordered_at)


def mark_undone(orders: ir.Table, undone: ir.Table, *, at: ir.Value | None = None) -> ir.Table:
    """Return the orders, of the kind ``undone`` where they are (before ``at``).

    ``undone`` is what ``find_undone`` returned of all orders.
    """
    joined = _join_undone(orders, undone)
    is_undone = joined.undone_at.notnull() & is_bought(joined)
    if at is not None:
        is_undone = is_undone & (joined.undone_at < at)
    # What was marked for a later date may be a purchase at this one.
    kind = ibis.cases((is_undone, UNDONE), (joined.kind == UNDONE, PURCHASE), else_=joined.kind)
    return joined.mutate(kind=kind).select(*orders.columns)


def list_bought(orders: ir.Table, undone: ir.Table) -> ir.Table:
    """Return every order that was ever a purchase, with ``ended_at``, since when it is none.

    ``ended_at`` is empty for what is a purchase still.
    """
    joined = _join_undone(orders, undone)
    cancelled_at = is_cancelled_late(joined).ifelse(joined.cancel_known_at, ibis.null(INSTANT))
    placed = as_placed(joined.mutate(ended_at=_first_of(joined.undone_at, cancelled_at)))
    return placed.filter(is_bought(placed)).select(*orders.columns, "ended_at")


def in_epochs(orders: ir.Table, undone: ir.Table) -> ir.Table:
    """Return the orders as they stood, once for each stretch of their customer's time.

    A stretch lasts from ``epoch_at`` until ``epoch_until``: no purchase of the customer ends
    within it. Who has no such purchase has one stretch. It answers questions of a date with
    ``epoch_at < as_of <= epoch_until``.
    """
    joined = _join_undone(orders, undone)
    epochs = _list_epochs(joined)
    joined = joined.left_join(epochs, joined.customer_id == epochs.epoch_of)
    rows = joined.mutate(
        epoch_at=ibis.coalesce(joined.epoch_at, _instant(LONG_AGO)),
        epoch_until=ibis.coalesce(joined.epoch_until, _instant(FAR_OFF)),
    )
    is_undone = is_bought(rows) & rows.undone_at.notnull() & (rows.undone_at <= rows.epoch_at)
    is_sold = is_cancelled_late(rows) & (rows.cancel_known_at > rows.epoch_at)
    was_undone = rows.undone_at.notnull() & (rows.undone_at <= rows.epoch_at)
    kind = ibis.cases(
        (is_undone | (is_sold & was_undone), UNDONE), (is_sold, PURCHASE), else_=rows.kind
    )
    rows = rows.mutate(
        kind=kind,
        gross=is_sold.ifelse(rows.sold_gross, rows.gross),
        discount=is_sold.ifelse(rows.sold_discount, rows.discount),
    )
    return rows.select(*orders.columns, "epoch_at", "epoch_until")


def _list_epochs(joined: ir.Table) -> ir.Table:
    undone = joined.filter(joined.undone_at.notnull() & joined.customer_id.notnull())
    gone = joined.filter(is_cancelled_late(joined) & joined.customer_id.notnull())
    ends = undone.select(epoch_of="customer_id", epoch_at="undone_at").union(
        gone.select(epoch_of="customer_id", epoch_at="cancel_known_at")
    )
    starts = ends.select("epoch_of").distinct().mutate(epoch_at=_instant(LONG_AGO))
    starts = starts.union(ends).distinct()
    own = ibis.window(group_by=starts.epoch_of, order_by=starts.epoch_at)
    return starts.mutate(
        epoch_until=ibis.coalesce(starts.epoch_at.lead().over(own), _instant(FAR_OFF))
    )


def _join_undone(orders: ir.Table, undone: ir.Table) -> ir.Table:
    """Return the orders with ``undone_at``."""
    undone = undone.select(_source="source", _order_id="order_id", undone_at="undone_at")
    joined = orders.left_join(
        undone, [orders.source == undone._source, orders.order_id == undone._order_id]
    )
    joined = joined.select(*orders.columns, "undone_at")
    # A join that is joined again takes its tables apart; a filter keeps it whole.
    return joined.filter(joined.order_id.notnull())


def _met_by_own_refund(bought: ir.Table) -> ir.Table:
    """Return what was given back whole in the order's own row."""
    known_at = ibis.coalesce(bought.refund_known_at, bought.refunded_at)
    met = bought.filter((bought.back >= bought.paid) & (bought.ordered_at >= _earliest(known_at)))
    known_at = ibis.coalesce(met.refund_known_at, met.refunded_at)
    return met.select(
        "source", "order_id", "customer_id", undone_at=ibis.greatest(known_at, met.ordered_at)
    )


def _met_by_step(bought: ir.Table, steps: ir.Table) -> ir.Table:
    """Return what had been given back whole in the order's own row before its last refund."""
    steps = steps.select(_source="source", _order_id="order_id", given_at="known_at", given="given")
    met = bought.inner_join(
        steps,
        [
            bought.source == steps._source,
            bought.order_id == steps._order_id,
            bought.paid <= steps.given,
            bought.ordered_at >= _earliest(steps.given_at),
        ],
    )
    return met.select(
        "source", "order_id", "customer_id", undone_at=ibis.greatest(met.given_at, met.ordered_at)
    )


def _met_by_refunds(orders: ir.Table, given_back: ir.Table) -> ir.Table:
    """Return what a refund with a number of its own gave back."""
    refunds = as_placed(given_back)
    refunds = refunds.filter(refunds.kind == REFUND)
    refunds = refunds.select(
        given_to="customer_id",
        # One that was given in parts is whole with the last of them.
        given_at=ibis.coalesce(refunds.refund_known_at, refunds.ordered_at),
        given=refunds.refund.cast(MONEY),
        given_by="source",
        given_id="order_id",
    )
    bought = _bought(orders)
    pairs = bought.select("source", "order_id", "customer_id", "ordered_at", "paid").inner_join(
        refunds,
        [
            bought.customer_id == refunds.given_to,
            bought.paid == refunds.given,
            bought.ordered_at <= refunds.given_at,
            bought.ordered_at >= _earliest(refunds.given_at),
        ],
    )
    newest = ibis.window(
        group_by=[pairs.given_by, pairs.given_id],
        order_by=[pairs.ordered_at.desc(), pairs.source, pairs.order_id],
    )
    oldest = ibis.window(
        group_by=[pairs.source, pairs.order_id],
        order_by=[pairs.given_at, pairs.given_by, pairs.given_id],
    )
    # The n-th refund of a purchase undoes it only if it is the n-th newest for the refund:
    # so two equal purchases with one refund are one undone, and with two are two.
    ranked = pairs.mutate(place=ibis.row_number().over(newest), turn=ibis.row_number().over(oldest))
    ranked = ranked.filter(ranked.place == ranked.turn)
    return ranked.select("source", "order_id", "customer_id", undone_at="given_at")


def _earliest(given_at: ir.Value) -> ir.Value:
    """Return since when what was bought is undone by what is given back at this instant.

    Refunds are few: to move their instants takes a fifth less than to move those of all orders.
    """
    return given_at - ibis.interval(hours=HOURS)


def _first_of(one: ir.Value, other: ir.Value) -> ir.Value:
    # Engines differ in what the least of a value and NULL is.
    return ibis.coalesce(ibis.least(ibis.coalesce(one, other), ibis.coalesce(other, one)), one)


def _instant(at: datetime) -> ir.Value:
    return ibis.literal(at, type="timestamp").cast(INSTANT)
