"""Facts: the business's history as Ibis tables, whichever engine holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

import ibis
import ibis.expr.types as ir

from rekindle.facts.contracts import CONTRACTS, INSTANT
from rekindle.facts.purchases import (
    FAR_OFF,
    LONG_AGO,
    PURCHASE,
    REFUND,
    find_undone,
    in_epochs,
    is_bought,
    is_cancelled_late,
    join_given,
    list_bought,
    mark_undone,
    take_apart,
)


@dataclass(frozen=True)
class Facts:
    """The tables of the contracts, with customer ids resolved to persons.

    ``currency`` is of every amount, ``rates`` what one unit of each other currency in which
    something was told is taken to be worth in it, ``zone`` the business's IANA zone.
    ``has_categories`` says whether taste can be measured at all; ``has_cards`` whether the
    customers table holds anyone, ``has_events`` whether anybody did anything beside buying,
    ``has_scores`` whether models said anything, ``has_subscriptions`` whether anything is paid
    for again and again, ``has_past_sends`` whether what other systems sent was imported. They
    spare large shops a needless join. ``permissions`` is every statement ever made, and is read
    whole at any date. ``more`` holds the tables that installed packages add, by name.
    ``has_late_changes`` says whether a refund or a cancellation became known after its order, or
    a purchase was undone; ``has_undated_cards`` whether it takes the orders to say when some card
    became known.
    ``refund_steps`` are what orders had given back before their last refund, if any had,
    and ``undone`` the orders that were undone, where somebody has looked already.
    """

    customers: ir.Table
    orders: ir.Table
    order_lines: ir.Table
    products: ir.Table
    events: ir.Table
    currency: str
    zone: str
    rates: tuple[tuple[str, Decimal], ...] = ()
    has_categories: bool = True
    has_cards: bool = True
    has_events: bool = True
    has_scores: bool = True
    has_subscriptions: bool = True
    has_past_sends: bool = True
    bookkeeping: Mapping[str, ir.Table] | None = None
    permissions: ir.Table | None = None
    more: Mapping[str, ir.Table] = field(default_factory=dict)
    has_late_changes: bool = True
    has_undated_cards: bool = True
    refund_steps: ir.Table | None = None
    undone: ir.Table | None = None

    @property
    def cards(self) -> ir.Table:
        """Return the contact cards with ``known_from``, the instant from which each is known.

        A card that no import dated, as in a warehouse, was always there. Who subscribed
        is a customer from then on, and has an empty card beside what other cards say.
        """
        cards = self.customers
        if self.has_subscriptions:
            cards = cards.union(self._bare_cards())
        always = ibis.literal(LONG_AGO, type="timestamp").cast(INSTANT)
        if not self.has_undated_cards:
            return cards.mutate(known_from=ibis.coalesce(cards.created_at, always))
        seen = self._sightings()
        first = seen.group_by(buyer_id=seen.customer_id).agg(first_at=seen.seen_at.min())
        # A join that is joined again takes its tables apart; a filter keeps it whole.
        cards = cards.filter(cards.customer_id.notnull())
        joined = cards.left_join(first, cards.customer_id == first.buyer_id)
        met_at = ibis.least(joined.known_at, ibis.coalesce(joined.first_at, joined.known_at))
        known_from = ibis.coalesce(joined.created_at, met_at, always)
        return joined.mutate(known_from=known_from).drop("buyer_id", "first_at")

    def _sightings(self) -> ir.Table:
        """Return when each customer ordered or subscribed: their cards are known since then."""
        bought = self.orders.select("customer_id", seen_at="ordered_at")
        if self.has_subscriptions:
            began = self.more["subscriptions"].select("customer_id", seen_at="started_at")
            bought = bought.union(began)
        return bought.filter(bought.customer_id.notnull())

    def _bare_cards(self) -> ir.Table:
        """Return an empty card of each subscriber, also of who has another: it may come later."""
        began = self.more["subscriptions"]
        bare = began.group_by("customer_id").agg(
            source=began.source.min(), created_at=began.started_at.min()
        )
        types = self.customers.schema()
        given = {n: bare[n].cast(types[n]) for n in ("customer_id", "source", "created_at")}
        return bare.select(**{n: given.get(n, ibis.null(types[n])) for n in types.names})

    def say_rates(self) -> str:
        """Return which rates amounts were restated at; "" where all were told in one currency."""
        told = ", ".join(f"{code} at {rate.normalize():f}" for code, rate in self.rates)
        return f"Amounts are in {self.currency}; {told}." if told else ""

    def is_told_abroad(self, rows: ir.Table) -> ir.Value:
        """Return whether each row's amounts were told in another currency, and restated."""
        return ibis.coalesce(rows.currency.upper().isin([code for code, _ in self.rates]), False)

    def cut(self, as_of: datetime) -> Facts:
        """Return the facts as they were known at ``as_of`` (rows strictly before it).

        A refund that was given later is not known yet, and an order that was cancelled or
        undone later is a purchase.
        """
        at = ibis.literal(as_of, type=INSTANT)
        orders = placed = self.orders.filter(self.orders.ordered_at < at)
        if self.has_late_changes:
            orders = self._before_changes(orders, at)
            orders = mark_undone(orders, self._undone(), at=at)
        cards = self.cards
        return replace(
            self,
            orders=orders,
            customers=cards.filter(cards.known_from < at).drop("known_from"),
            order_lines=self.order_lines.semi_join(placed, ["source", "order_id"]),
            events=self.events.filter(self.events.occurred_at < at),
            more={name: _known_before(table, name, at) for name, table in self.more.items()},
        )

    def as_read(self, at: datetime) -> Facts:
        """Return the facts with what was read without a date as known by ``at``.

        A refund or a cancellation without a date counts from its import, which in a file from
        the past is long after the last day that the file knows of.
        """
        by_then, orders = ibis.literal(at - timedelta(microseconds=1), type=INSTANT), self.orders

        def known(read_at: ir.Value, dated_at: ir.Value) -> ir.Value:
            is_moved = read_at.notnull() & dated_at.isnull() & (read_at > by_then)
            return is_moved.ifelse(by_then, read_at)

        orders = orders.mutate(
            refund_known_at=known(orders.refund_known_at, orders.refunded_at),
            cancel_known_at=known(orders.cancel_known_at, orders.cancelled_at),
        )
        return replace(self, orders=orders, undone=None)

    def standing_orders(self) -> ir.Table:
        """Return the orders by all that is known of them, undone ones marked as such."""
        return mark_undone(self.orders, self._undone()) if self.has_late_changes else self.orders

    def bought_orders(self) -> ir.Table:
        """Return every order that was ever a purchase, with ``ended_at``, since when it is none.

        ``ended_at`` is empty for what is a purchase still.
        """
        if self.has_late_changes:
            return list_bought(self.orders, self._undone())
        bought = self.orders.filter(is_bought(self.orders))
        return bought.mutate(ended_at=ibis.null(INSTANT))

    def in_epochs(self) -> ir.Table:
        """Return the orders as they stood, once for each stretch of their customer's time.

        A stretch has no purchase that ends; it answers questions of a date with
        ``epoch_at < as_of <= epoch_until``.
        """
        if self.has_late_changes:
            return in_epochs(self.orders, self._undone())
        always, never = (ibis.literal(at, type="timestamp") for at in (LONG_AGO, FAR_OFF))
        return self.orders.mutate(epoch_at=always.cast(INSTANT), epoch_until=never.cast(INSTANT))

    def in_steps(self) -> ir.Table:
        """Return ``in_epochs`` with every refund that became known later as a row of its own."""
        orders = self.in_epochs()
        if not self.has_late_changes:
            return orders
        is_late = _is_late(orders.refund_known_at, orders.ordered_at)
        nothing = ibis.literal(0).cast(orders.refund.type())
        apart = orders.filter(is_late).mutate(
            placed_at=orders.ordered_at, ordered_at=orders.refund_known_at, gross=nothing,
            discount=nothing, kind=ibis.literal(REFUND),
        )  # fmt: skip
        placed = orders.mutate(refund=is_late.ifelse(nothing, orders.refund))
        if self.refund_steps is not None:
            apart = take_apart(apart, self.refund_steps)
        return placed.select(*orders.columns).union(apart.select(*orders.columns))

    def _undone(self) -> ir.Table:
        if self.undone is not None:
            return self.undone
        return find_undone(self.orders, self.refund_steps)

    def _before_changes(self, orders: ir.Table, at: ir.Value) -> ir.Table:
        """Return the orders with the amounts that were known before ``at``."""
        columns = orders.columns
        given: ir.Value = ibis.literal(0).cast(orders.refund.type())
        if self.refund_steps is not None:
            orders = join_given(orders, self.refund_steps, at)
            given = orders.given_before
        is_refunded_later = orders.refund_known_at.notnull() & (orders.refund_known_at >= at)
        is_sold = is_cancelled_late(orders) & (orders.cancel_known_at >= at)
        return orders.mutate(
            refund=is_refunded_later.ifelse(given, orders.refund),
            kind=is_sold.ifelse(PURCHASE, orders.kind),
            gross=is_sold.ifelse(orders.sold_gross, orders.gross),
            discount=is_sold.ifelse(orders.sold_discount, orders.discount),
        ).select(*columns)


def find_late_changes(orders: ir.Table) -> ir.Table:
    """Return the orders whose refund or cancellation became known after them."""
    late = [orders.refund_known_at, orders.cancel_known_at]
    return orders.filter(
        _is_late(late[0], orders.ordered_at) | _is_late(late[1], orders.ordered_at)
    )


def find_undated_cards(customers: ir.Table) -> ir.Table:
    """Return the cards that an import read and nothing dates."""
    return customers.filter(customers.created_at.isnull() & customers.known_at.notnull())


def _is_late(known_at: ir.Value, ordered_at: ir.Value) -> ir.Value:
    return known_at.notnull() & (known_at > ordered_at)


def _known_before(table: ir.Table, name: str, at: ir.Value) -> ir.Table:
    column = CONTRACTS[name].known_at
    if column is None:
        return table
    return table.filter(table[column].isnull() | (table[column] < at))
