"""Which column of a file is which column of a contract, by preset or by header words.

A header word decides first and the values confirm it, as the import will read them. What
goes by a known word and does not hold it is left out with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

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
from rekindle.facts.folding import sort_states
from rekindle.facts.proposing.fallback import find_by_parts
from rekindle.facts.proposing.model import Answers
from rekindle.facts.proposing.survey import ENOUGH, Survey
from rekindle.facts.sources import TOLD_BY, SourcePreset, plain

DATED = (INSTANT, "date")
# What a file is taken for only where somebody says so.
BY_NAME = (
    "subscriptions",
    "cancellations",
    "invoices",
    "payments",
    "payment_methods",
    "plans",
    "invoice_lines",
)
SOME = 0.5  # of the values that are read, to take a required column at all
EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
UNIT = re.compile(
    r"\s*[(\[]([^)\]]*)[)\]]\s*$|[\s,]+((?!(?:TVA|IVA|VAT|BTW|TAX)$)[A-Z]{3}|[€£$₹])$"
)
# Words that as often say something else; their values have to look the part.
NUMBERED = frozenset({"name", "order", "ordername", "receipt", "invoice", "id"})
PEOPLE = frozenset({"customer", "user", "kunde", "client", "buyer"})


@dataclass
class Match:
    """Contract column → file column, and why others of the file were not taken.

    ``by_parts`` are those of which only a part of the header says what they are.
    """

    chosen: dict[str, str] = field(default_factory=dict)
    by_parts: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)


def match_columns(
    found: Survey, preset: SourcePreset | None, answers: Answers
) -> tuple[str, Match]:
    """Return the table of a file and its columns; answers stand against presets and words.

    Raises:
        SourceError: an answer or a preset names what there is not.
    """
    asked = (None, preset.table) if preset else ()
    if preset is not None and (
        answers.table in asked or TOLD_BY.get(answers.table or "") == preset.table
    ):
        table, match = preset.table, _by_preset(preset, found)
    else:
        tables: tuple[Contract, ...] = (ORDER_LINES, ORDERS, CUSTOMERS)
        if answers.table in BY_NAME:
            tables = (CONTRACTS[answers.table],)
        matches = {contract.table: _by_words(contract, found) for contract in tables}
        table = answers.table or _choose({name: m.chosen for name, m in matches.items()}, found)
        if table not in matches:
            raise SourceError(f"a file is of {', '.join([*matches, *BY_NAME])}, not of {table!r}")
        match = matches[table]
        if table in (ORDERS.table, ORDER_LINES.table):
            for name, actual in find_by_parts(found, CONTRACTS[table], match.chosen):
                match.chosen[name] = actual
                match.by_parts.add(name)
                match.doubts.append(f"{actual!r} is taken as {name}, by a part of its header")
    _answer(match, CONTRACTS[table], found, answers)
    return table, match


def _by_preset(preset: SourcePreset, found: Survey) -> Match:
    """Return a preset's columns, without optional ones that are empty."""
    if preset.table not in CONTRACTS:
        raise SourceError(f"the preset {preset.name!r} is for a table {preset.table!r}: no such")
    required = {column.name for column in CONTRACTS[preset.table].inputs if column.required}
    chosen = preset.chosen(found.values)
    return Match({n: c for n, c in chosen.items() if found.filled[c] or n in required})


def _answer(match: Match, contract: Contract, found: Survey, answers: Answers) -> None:
    known = [column.name for column in contract.inputs]
    named = {plain(name): name for name in reversed(list(found.values))}
    for name, wanted in answers.columns.items():
        if name not in known:
            raise SourceError(f"{contract.table} has no column {name!r}{_nearest(name, known)}")
        match.chosen.pop(name, None)
        if not wanted:
            continue
        actual = wanted if wanted in found.values else named.get(plain(wanted))
        if actual is None:
            raise SourceError(
                f"{found.raw.name} has no column {wanted!r}{_nearest(wanted, list(found.values))}"
            )
        match.chosen[name] = actual


def _nearest(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, 1)
    return f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(known[:20])}"


def _choose(matches: Mapping[str, Mapping[str, str]], found: Survey) -> str:
    """Return the table a file's columns fit: lines before orders before customers."""
    lines, orders, customers = (matches[t] for t in ("order_lines", "orders", "customers"))
    has_prices = {"quantity", "unit_price", "ordered_at"} <= lines.keys()
    if has_prices and {"order_id", "customer_id"} & lines.keys():
        return "order_lines"
    # The lines of a basket: what it holds, and what that came to.
    if {"product_id", "quantity", "amount", "ordered_at", "order_id"} <= lines.keys():
        return "order_lines"
    # Rows of one number that came to different amounts are none of the order's total.
    is_of_goods = {"product_id", "description"} & lines.keys()
    if (
        is_of_goods
        and {"amount", "ordered_at", "order_id"} <= lines.keys()
        and _differs(found, lines["order_id"], lines["amount"])
    ):
        return "order_lines"
    numbers_orders = plain(orders.get("order_id", "id")) not in ("id", "name")
    if numbers_orders or {"ordered_at", "gross"} <= orders.keys():
        return "orders"
    return "customers" if {"customer_id", "email"} & customers.keys() else "orders"


def _differs(found: Survey, key: str, value: str) -> bool:
    """Return whether rows of one key hold different values in half of the keys with several."""
    told = f"select {found.text(key)} as k, {found.text(value)} as v from ({found.raw.relation})"
    several, differing = found.con.execute(
        f"select count(*), count(*) filter (where n > 1) from (select count(distinct v) as n "
        f"from ({told}) where k is not null group by k having count(*) > 1)"
    ).fetchall()[0]
    return bool(differing) and differing * 2 >= several


def headers(names: Sequence[str]) -> dict[str, str]:
    """Return plain header → column, also without a unit: ``Total (GBP)`` is a total."""
    bare = {plain(UNIT.sub("", name)): name for name in reversed(names)}
    return bare | {plain(name): name for name in reversed(names)}


def _by_words(contract: Contract, found: Survey) -> Match:
    """Return contract column → file column, each file column used once."""
    by_word = headers(list(found.values))
    match = Match()
    for column in contract.inputs:
        best: tuple[float, str] = (0.0, "")
        for word in (column.name, *column.words):
            actual = by_word.get(plain(word))
            if actual is None or actual in match.chosen.values():
                continue
            share, why = _share(column, plain(word), actual, found)
            if share < ENOUGH:
                match.refused[actual] = why
            if share > best[0]:
                best = (share, actual)
            if share >= ENOUGH:
                break
        # A column of dates may hold a few slips; one that is half something else is no date.
        if best[0] >= ENOUGH or (best[0] >= SOME and column.required):
            match.chosen[column.name] = best[1]
    for actual in match.chosen.values():
        match.refused.pop(actual, None)
    return match


def _share(column: Column, word: str, actual: str, found: Survey) -> tuple[float, str]:
    """Return the share of a column's values that are what the contract's column holds."""
    values = found.values[actual]
    if not values:
        return 0.0, "empty"
    if column.type in DATED:
        dates = found.dates(actual)
        return _judged(dates.share if dates else 0.0, "no dates", values)
    if column.type == MONEY:
        amounts = found.amounts(actual)
        return _judged(amounts.share if amounts else 0.0, "no amounts", values)
    if column.type == "boolean":
        return 1.0, ""
    return _judged(*_fits_text(column.name, word, values), values)


def _fits_text(name: str, word: str, values: Sequence[str]) -> tuple[float, str]:
    if name == "email":
        return _part(values, lambda v: bool(EMAIL.match(v))), "no e-mail addresses"
    if name == "order_id" and word in NUMBERED:
        return _part(values, lambda v: any(map(str.isdigit, v))), "no numbers of orders"
    if name == "status" and word == "state":  # of an order, or of a country
        known = len(sort_states(dict.fromkeys(values, 1), {}).meanings)
        return known / len(values), "no states of orders"
    if name == "phone":
        return _part(values, lambda v: sum(map(str.isdigit, v)) >= 5), "no phone numbers"
    if name == "currency":
        return _part(values, lambda v: len(v) == 3 and v.isalpha()), "no codes of currencies"
    return 1.0, ""


def is_of_people(word: str, values: Sequence[str]) -> bool:
    """Return whether a column that could hold ids holds names of people."""
    named = _part(values, lambda v: " " in v and not any(map(str.isdigit, v)) and "@" not in v)
    return plain(word) in PEOPLE and named > SOME


def _part(values: Sequence[str], fits: Callable[[str], bool]) -> float:
    return sum(map(fits, values)) / len(values)


def _judged(share: float, what: str, values: Sequence[str]) -> tuple[float, str]:
    return share, f"holds {what}, like {values[0][:40]!r}"
