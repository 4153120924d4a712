"""A small shop's history from a list of sales: tables of facts, ready for an engine.

A test states who bought what and when; keys, days, kinds and empty tables follow from
it. The same tables go into DuckDB in memory or into a warehouse.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from rekindle.facts import CONTRACTS, Engine, open_rows

CURRENCY = "GBP"


@dataclass(frozen=True)
class Sale:
    """One order. ``lines`` are (product, category, amount); amounts in its currency.

    ``refund_steps`` say what had been given back by when, before ``refunded_at``.
    """

    person: str | None
    at: datetime
    gross: Decimal = Decimal(10)
    discount: Decimal | None = Decimal(0)
    refund: Decimal | None = Decimal(0)
    kind: str = "purchase"
    source: str = "shop"
    lines: tuple[tuple[str, str | None, Decimal], ...] = ()
    refunded_at: datetime | None = None
    cancelled_at: datetime | None = None
    refund_steps: tuple[tuple[datetime, Decimal], ...] = ()
    currency: str = CURRENCY


@dataclass(frozen=True)
class Card:
    """One contact card."""

    person: str
    country: str | None = None
    email: str | None = None
    created_at: datetime | None = None
    renews_on: date | None = None


@dataclass(frozen=True)
class SmallShop:
    """A history. ``products`` maps a product to its category, ``persons`` an id to a person.

    ``rows`` are those of any other table, in the columns of its contract.
    """

    sales: Sequence[Sale]
    cards: Sequence[Card] = ()
    products: Mapping[str, str | None] = field(default_factory=dict)
    persons: Mapping[str, str] = field(default_factory=dict)
    zone: str = "UTC"
    rows: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    rates: Mapping[str, Decimal] = field(default_factory=dict)

    def tables(self) -> dict[str, pa.Table]:
        """Return every table of facts, in the contracts' types."""
        names = (*(contract.table for contract in CONTRACTS.facts), "identities", "refunds")
        rows: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
        rows |= {name: [dict(row) for row in given] for name, given in self.rows.items()}
        for number, sale in enumerate(self.sales):
            rows["orders"].append(self._order(sale, f"{number:04}"))
            rows["order_lines"] += self._lines(sale, f"{number:04}")
            rows["refunds"] += [
                {"source": sale.source, "order_id": f"{number:04}", "known_at": at, "given": by}
                for at, by in sale.refund_steps
            ]
        rows["customers"] += [self._card(card) for card in self.cards]
        rows["products"] += [
            {"source": "shop", "product_id": p, "category": c} for p, c in self.products.items()
        ]
        rows["identities"] = [
            {"customer_id": known, "person_id": person} for known, person in self.persons.items()
        ]
        return {name: _table(name, found) for name, found in rows.items()}

    def engine(self) -> Engine:
        """Return the shop in a DuckDB of its own."""
        return open_rows(self.tables(), currency=CURRENCY, zone=self.zone, rates=self.rates)

    def load_into(self, con: Any) -> None:
        """Create the tables, or replace them, on any Ibis connection."""
        for name, rows in self.tables().items():
            con.create_table(name, schema=CONTRACTS[name].schema, overwrite=True)
            if rows.num_rows:
                con.insert(name, rows)

    def _order(self, sale: Sale, order_id: str) -> dict[str, Any]:
        order = self._placed(sale, order_id)
        if sale.cancelled_at is None:
            return order
        nothing = Decimal(0)
        return order | {
            "kind": "cancelled",
            "gross": nothing,
            "discount": nothing,
            "refund": nothing,
            "refunded_at": None,
            "refund_known_at": None,
            "cancelled_at": sale.cancelled_at,
            "cancel_known_at": sale.cancelled_at,
            "sold_gross": sale.gross,
            "sold_discount": sale.discount,
        }

    def _placed(self, sale: Sale, order_id: str) -> dict[str, Any]:
        return {
            "source": sale.source,
            "order_id": order_id,
            "customer_id": sale.person,
            "ordered_at": sale.at,
            "ordered_on": sale.at.astimezone(ZoneInfo(self.zone)).date(),
            "kind": sale.kind,
            "gross": sale.gross,
            "discount": sale.discount,
            "refund": sale.refund,
            "refunded_at": sale.refunded_at,
            "refund_known_at": None if sale.kind == "refund" else sale.refunded_at,
            "currency": sale.currency,
        }

    def _lines(self, sale: Sale, order_id: str) -> list[dict[str, Any]]:
        return [
            {
                "source": sale.source,
                "order_id": order_id,
                "line": place,
                "product_id": product,
                "category": category,
                "quantity": Decimal(1),
                "unit_price": amount,
                "amount": amount,
            }
            for place, (product, category, amount) in enumerate(sale.lines, 1)
        ]

    def _card(self, card: Card) -> dict[str, Any]:
        return {
            "source": "shop",
            "customer_id": card.person,
            "email": card.email,
            "country": card.country,
            "renews_on": card.renews_on,
            "created_at": card.created_at,
        }


def _table(name: str, rows: Iterable[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=CONTRACTS[name].schema.to_pyarrow())
