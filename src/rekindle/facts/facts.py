"""Facts: the business's history as Ibis tables, whichever engine holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import ibis
import ibis.expr.types as ir

from rekindle.facts.contracts import CONTRACTS


@dataclass(frozen=True)
class Facts:
    """The tables of the contracts, with customer ids resolved to persons.

    ``currency`` is of every amount, ``zone`` the business's IANA zone.
    ``has_lines`` says whether taste can be measured at all; ``has_cards`` whether the
    customers table holds anyone. Both spare large shops a needless join. ``permissions``
    is every statement ever made, and is read whole at any date. ``more`` holds the tables
    that installed packages add, by name.
    """

    customers: ir.Table
    orders: ir.Table
    order_lines: ir.Table
    products: ir.Table
    events: ir.Table
    currency: str
    zone: str
    has_categories: bool = True
    has_cards: bool = True
    bookkeeping: Mapping[str, ir.Table] | None = None
    permissions: ir.Table | None = None
    more: Mapping[str, ir.Table] = field(default_factory=dict)

    def cut(self, as_of: datetime) -> Facts:
        """Return the facts as they were known at ``as_of`` (rows strictly before it).

        A contact card without a creation time counts as always known.
        """
        at = ibis.literal(as_of, type="timestamp('UTC', 6)")
        orders = self.orders.filter(self.orders.ordered_at < at)
        created = self.customers.created_at
        return replace(
            self,
            orders=orders,
            customers=self.customers.filter(created.isnull() | (created < at)),
            order_lines=self.order_lines.semi_join(orders, ["source", "order_id"]),
            events=self.events.filter(self.events.occurred_at < at),
            more={name: _known_before(table, name, at) for name, table in self.more.items()},
        )


def _known_before(table: ir.Table, name: str, at: ir.Value) -> ir.Table:
    column = CONTRACTS[name].known_at
    if column is None:
        return table
    return table.filter(table[column].isnull() | (table[column] < at))
