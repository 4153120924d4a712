"""Which column of a file is which column of a contract, by preset or by header words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rekindle.errors import SourceError
from rekindle.facts.contracts import (
    CONTRACTS,
    CUSTOMERS,
    INSTANT,
    MONEY,
    ORDER_LINES,
    ORDERS,
    Column,
    Contract,
)
from rekindle.facts.proposing.guessing import guess_date, is_email, is_number
from rekindle.facts.sources import SourcePreset, plain

DATED = (INSTANT, "date")


def choose_by_preset(
    preset: SourcePreset, samples: Mapping[str, Sequence[str]]
) -> tuple[str, dict[str, str]]:
    """Return a preset's table and columns, without optional ones that are empty."""
    if preset.table not in CONTRACTS:
        raise SourceError(f"the preset {preset.name!r} is for a table {preset.table!r}: no such")
    required = {column.name for column in CONTRACTS[preset.table].inputs if column.required}
    found = preset.chosen(samples)
    return preset.table, {n: c for n, c in found.items() if samples[c] or n in required}


def choose_by_words(samples: Mapping[str, Sequence[str]]) -> tuple[str, dict[str, str]]:
    """Return the table and columns that a file's header words and values speak for."""
    matches = {
        contract.table: _match(contract, samples) for contract in (ORDER_LINES, ORDERS, CUSTOMERS)
    }
    table = _choose(matches)
    return table, matches[table]


def _choose(matches: Mapping[str, Mapping[str, str]]) -> str:
    """Return the table a file's columns fit: lines before orders before customers."""
    lines, orders, customers = (matches[t] for t in ("order_lines", "orders", "customers"))
    has_prices = {"quantity", "unit_price", "ordered_at"} <= lines.keys()
    if has_prices and {"order_id", "customer_id"} & lines.keys():
        return "order_lines"
    # The lines of a basket: what it holds, and what that came to.
    if {"product_id", "quantity", "amount", "ordered_at", "order_id"} <= lines.keys():
        return "order_lines"
    numbers_orders = plain(orders.get("order_id", "id")) not in ("id", "name")
    if numbers_orders or {"ordered_at", "gross"} <= orders.keys():
        return "orders"
    return "customers" if {"customer_id", "email"} & customers.keys() else "orders"


def _match(contract: Contract, samples: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return contract column → file column, each file column used once."""
    by_word = {plain(name): name for name in reversed(list(samples))}
    chosen: dict[str, str] = {}
    for column in contract.inputs:
        for word in (column.name, *column.words):
            actual = by_word.get(plain(word))
            if actual is None or actual in chosen.values():
                continue
            if _fits(column, samples[actual]):
                chosen[column.name] = actual
                break
    return chosen


def _fits(column: Column, values: Sequence[str]) -> bool:
    if not values:
        return not column.required
    if column.type in DATED:
        return guess_date(values) is not None
    if column.type == MONEY:
        return is_number(values)
    return is_email(values) if column.name == "email" else True
