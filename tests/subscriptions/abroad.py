"""The same business told in several currencies, and by hand in one."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from rekindle.facts import CONTRACTS
from rekindle.testing.small_shop import CURRENCY, Sale, SmallShop

RATES = {
    "EUR": Decimal("0.86"),
    "USD": Decimal("0.7931"),
    "JPY": Decimal("0.0053"),
    "KWD": Decimal("2.5731234567"),
}
MONEY = ("amount", "mrr", "unit_price")


def told_abroad(shop: SmallShop, seed: int = 5) -> SmallShop:
    """Return the shop with the same digits, each fact in a currency that is drawn for it."""
    roll = random.Random(seed)

    def draw() -> str:
        return roll.choice([CURRENCY, *RATES])

    rows = {
        table: [{**row, "currency": roll.choice([None, draw(), draw().lower()])} for row in found]
        if "currency" in CONTRACTS[table].schema.names
        else found
        for table, found in shop.rows.items()
    }
    sales = [replace(sale, currency=draw()) for sale in shop.sales]
    return replace(shop, sales=sales, rows=rows, rates=RATES)


def told_at_home(shop: SmallShop) -> SmallShop:
    """Return the shop with every amount worked out by hand in its own currency."""
    given = dict(shop.rows)
    begun = {row["subscription_id"]: row for row in given.get("subscriptions", ())}
    given["subscription_changes"] = [
        {**row, "currency": row.get("currency") or begun[row["subscription_id"]].get("currency")}
        for row in given.get("subscription_changes", ())
    ]
    rows = {table: [_row_at_home(row) for row in found] for table, found in given.items()}
    return replace(shop, sales=[_sale_at_home(s) for s in shop.sales], rows=rows, rates={})


def at_home(amount: Decimal, currency: str | None) -> Decimal:
    rate = RATES.get((currency or CURRENCY).upper(), Decimal(1))
    return (amount * rate).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def _row_at_home(row: Mapping[str, Any]) -> Mapping[str, Any]:
    given = {name: row[name] for name in MONEY if row.get(name) is not None}
    amounts = {name: at_home(amount, row.get("currency")) for name, amount in given.items()}
    return {**row, **amounts, "currency": CURRENCY} if "currency" in row else row


def _sale_at_home(sale: Sale) -> Sale:
    def worth(amount: Decimal) -> Decimal:
        return at_home(amount, sale.currency)

    gross, off = worth(sale.gross), sale.discount
    return replace(
        sale,
        gross=gross,
        discount=off if off is None else gross - worth(sale.gross - off),
        refund=sale.refund if sale.refund is None else worth(sale.refund),
        lines=tuple((product, category, worth(by)) for product, category, by in sale.lines),
        refund_steps=tuple((at, worth(by)) for at, by in sale.refund_steps),
        currency=CURRENCY,
    )
