"""Restates amounts of other currencies in the business's, at the rates that are stated.

The facts keep every amount as it was told, in its own currency. It is restated where the
tables are opened, so a rate that is changed restates the whole history alike: one day's
rate beside another's would show as growth and loss that nobody made.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import ibis
import ibis.expr.types as ir

from rekindle.errors import LakeError
from rekindle.facts.contracts import CONTRACTS, MONEY, ORDERS, SUBSCRIPTIONS
from rekindle.facts.engines.homes import with_home

# What has no more than 18 digits DuckDB multiplies in 18 digits, and stops at ten million.
RATE = "decimal(19, 10)"
ORDER = ("source", "order_id")
CHANGES = "subscription_changes"
NET_OF = {"discount": "gross", "sold_discount": "sold_gross"}
"""What is taken off which amount of an order."""


@dataclass(frozen=True)
class Restating:
    """The business's currency, and what one unit of each other one is worth in it."""

    currency: str
    rates: Mapping[str, Decimal] = field(default_factory=dict)

    def find_others(self, tables: Mapping[str, ir.Table]) -> Mapping[str, ir.Table]:
        """Return by table the rows told in another currency, of the tables that name one."""
        return {
            name: rows.filter(
                # Nearly all are written just so, and are looked at no further.
                (rows.currency != self.currency)
                & (rows.currency.upper() != self.currency)
                & (rows.currency.strip() != "")
            )
            for name, rows in tables.items()
            if "currency" in rows.columns
        }

    def find_rates(self, told: Sequence[Mapping[str, str]]) -> Mapping[str, Decimal]:
        """Return the rate of each ``currency`` that was told in a ``table``, by its code.

        Raises:
            LakeError: one has none; amounts without a rate are never added up.
        """
        unstated = sorted(
            (one["table"], one["currency"]) for one in told if one["currency"] not in self.rates
        )
        if unstated:
            where = ", ".join(f"{table} in {code}" for table, code in unstated)
            raise LakeError(
                f"the facts hold {where}, and the workspace is in {self.currency}: state in "
                f"[facts.rates] of rekindle.toml what one {unstated[0][1]} is worth"
            )
        return {code: self.rates[code] for code in sorted({one["currency"] for one in told})}

    def restate(
        self, tables: Mapping[str, ir.Table], others: Collection[str]
    ) -> dict[str, ir.Table]:
        """Return the tables with their amounts in the business's currency.

        ``others`` are the tables with rows in another one; ``currency`` stays what a row was
        told in. The lines of an order, and what it gave back before its last refund, are in
        the currency of the order, and a change of price that names none in its subscription's.
        """
        if SUBSCRIPTIONS.table in others:
            changes = _as_subscribed(tables[CHANGES], tables[SUBSCRIPTIONS.table])
            tables, others = {**tables, CHANGES: changes}, {*others, CHANGES}
        found = dict(tables)
        for name in others:
            found[name] = _at_rates(self._with_rate(tables[name]), name)
        if ORDERS.table in others:
            orders = self._with_rate(tables[ORDERS.table])
            for name, rows in tables.items():
                if name not in others and set(ORDER) <= set(rows.columns) and _amounts_of(name):
                    found[name] = _at_rates(_with_rate_of_order(rows, orders), name)
        return found

    def _with_rate(self, rows: ir.Table) -> ir.Table:
        """Return rows with ``rate``; it is NULL where they are in the business's currency."""
        code = rows.currency.upper()
        rates = ((code == one, ibis.literal(rate, type=RATE)) for one, rate in self.rates.items())
        return rows.mutate(rate=ibis.cases(*rates, else_=ibis.null(RATE)))


def _with_rate_of_order(rows: ir.Table, orders: ir.Table) -> ir.Table:
    orders = orders.filter(orders.rate.notnull())
    orders = orders.select("rate", of_source="source", of_order="order_id")
    joined = rows.left_join(
        orders, [rows.source == orders.of_source, rows.order_id == orders.of_order]
    )
    joined = joined.select(*rows.columns, "rate")
    # A join that is joined again takes its tables apart; a filter keeps it whole.
    return joined.filter(joined.order_id.notnull())


def _as_subscribed(changes: ir.Table, begun: ir.Table) -> ir.Table:
    """Return changes in the currency of their subscription where they name none."""
    homed = with_home(changes, begun, "subscription_id")
    homed = homed.filter(homed.subscription_id.notnull())
    of = begun.select(of_source="source", of_id="subscription_id", told="currency")
    joined = homed.left_join(of, [homed.home == of.of_source, homed.subscription_id == of.of_id])
    told = joined.mutate(currency=ibis.coalesce(joined.currency, joined.told))
    return told.select(*changes.columns).filter(told.subscription_id.notnull())


def _amounts_of(table: str) -> tuple[str, ...]:
    return tuple(
        c.name for c in CONTRACTS[table].columns if c.type == MONEY and c.name != "quantity"
    )


def _at_rates(rows: ir.Table, table: str) -> ir.Table:
    """Return rows with their amounts at their ``rate``; without one they stay as they are.

    What a discount leaves is restated as one amount, and the discount is the rest: what gave
    back all that was paid still did.
    """
    names = _amounts_of(table)

    def at(amount: ir.Value) -> ir.Value:
        return (amount * rows.rate).cast(MONEY)

    def restated(name: str) -> ir.Value:
        if (whole := NET_OF.get(name)) in names:
            return at(rows[whole]) - at(rows[whole] - rows[name])
        return at(rows[name])

    is_own = rows.rate.isnull()
    found = {name: is_own.ifelse(rows[name], restated(name)) for name in names}
    return rows.mutate(**found).drop("rate")
