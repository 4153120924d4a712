"""Turns raw rows into typed ones, and names what is wrong with those that are not.

One SQL projection a file: every contract column cast by its type, plus a verdict, the first
problem of the row. A row with a problem goes to quarantine; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta
from difflib import get_close_matches

from rekindle.config import SourceSettings
from rekindle.errors import SourceError
from rekindle.facts.casting import (
    Rules,
    build_currencies,
    build_given,
    build_value,
    is_number,
    sql_type,
)
from rekindle.facts.casting.cards import build_card_problems
from rekindle.facts.contracts import INSTANT, MONEY, ORDER_LINES, ORDERS, Column, Contract
from rekindle.facts.folding import NO_STATES, OF_A_LINE, States, build_filled
from rekindle.facts.sources import LINE, Raw
from rekindle.facts.sources.texts import NUL_SIGN
from rekindle.facts.sql import literal, quoted

LARGEST = "1e11"  # what a line or an order may come to; sums of such stay exact
# What the ledger keeps an id in.
LONGEST_ID = 200
EARLIEST, LATEST = "timestamptz '1900-01-01 00:00:00+00'", "timestamptz '9999-01-01 00:00:00+00'"
# Clocks and zones may be off by so much; what lies further ahead is a slip of the pen.
CLOCKS_DIFFER_BY = timedelta(days=2)
# Of somebody whom nobody asked yet: neither a yes nor a no.
NOTHING_SAID = "('never_subscribed', 'never subscribed', 'not_asked', 'unknown')"
# What stands for an order's number in the row below a table that adds it up.
SUMS = (
    "total",
    "totals",
    "grand total",
    "subtotal",
    "sum",
    "summe",
    "gesamt",
    "gesamtsumme",
    "total général",
    "total general",
    "totaal",
    "totale",
    "suma",
    "summa",
    "razem",
)
STATE = "state in [facts.rates] what one of its units is worth"


def resolve_columns(raw: Raw, contract: Contract, source: SourceSettings) -> dict[str, str]:
    """Return contract column → raw column for the columns this source gives.

    Raises:
        SourceError: a mapped column is not in the file, or a required one is not mapped.
    """
    known = {column.name for column in contract.inputs}
    given = [name for name, wanted in source.columns.items() if _find(raw, wanted) is not None]
    needed = missing_columns(contract, given)
    chosen = {}
    for name, wanted in source.columns.items():
        if name not in known:
            raise SourceError(
                f"source {source.name!r}: {contract.table} has no column {name!r}"
                + _hint(name, known)
            )
        actual = _find(raw, wanted)
        if actual is None and raw.is_json and name not in needed:
            continue  # objects leave out what they have nothing to say about
        if actual is None:
            raise SourceError(
                f"{raw.name}: no column {wanted!r} (for {name}); the file has "
                f"{len(raw.columns)}: {', '.join(list(raw.columns)[:12])}"
                + _hint(wanted, raw.columns)
                + _delimiter_hint(raw)
            )
        chosen[name] = actual
    missing = missing_columns(contract, chosen)
    if missing:
        raise SourceError(
            f"source {source.name!r} does not say which column is {', '.join(missing)}; "
            f"{raw.name} has: {', '.join(list(raw.columns)[:12])}" + _delimiter_hint(raw)
        )
    return chosen


def _find(raw: Raw, wanted: str) -> str | None:
    """Return the raw column meant by a name; in JSON also a path like ``customer.id``."""
    lowered = {name.lower(): name for name in raw.columns}
    if wanted in raw.columns:
        return wanted
    if raw.is_json and wanted.split(".", maxsplit=1)[0] in raw.columns:
        return wanted
    return lowered.get(wanted.lower())


def missing_columns(contract: Contract, chosen: Collection[str]) -> list[str]:
    """Return the required columns that are not given and cannot be made up for.

    Orders without a number of their own are told apart by customer and time.
    """
    spared = _made_up(contract, chosen)
    return [
        column.name
        for column in contract.inputs
        if column.required and column.name not in chosen and column.name not in spared
    ]


def _made_up(contract: Contract, chosen: Collection[str]) -> frozenset[str]:
    """Return the required columns that a file may lack, as others stand for them.

    A line comes to what the file says, or to quantity × unit price, of which the quantity
    is one where no column gives it.
    """
    found = {"order_id"} if is_numbered_by_time(contract, chosen) else set()
    if contract is ORDER_LINES:
        found |= {"unit_price", "quantity"} if "amount" in chosen else {"amount"}
        found |= {"quantity"} - set(chosen)
        found |= {"amount"} if "unit_price" in chosen else set()
    if contract.table == "payments" and "invoice_id" in chosen:
        found.add("customer_id")  # who pays is who its invoice is of
    return frozenset(found)


def is_numbered_by_time(contract: Contract, chosen: Collection[str]) -> bool:
    """Return whether order ids have to be made of customer and time."""
    given = {"customer_id", "ordered_at"} <= set(chosen) and "order_id" not in chosen
    return given and contract in (ORDERS, ORDER_LINES)


def build_checked(
    raw: Raw, contract: Contract, rules: Rules, *, states: States = NO_STATES, fills: bool = False
) -> str:
    """Return SQL that yields typed input columns, ``line`` and ``verdict``.

    ``verdict`` is NULL for a sound row, else what ``build_refused`` takes apart. A column the
    source does not give is NULL, or left out if nobody asks for it. Orders get a ``state``,
    what ``states`` says their status means. With ``fills``, what only the first row of an
    order says holds for its other rows.
    """
    chosen = resolve_columns(raw, contract, rules.source)
    spared = _made_up(contract, chosen)
    cells, given = [f"{LINE} as line"], dict[str, str]()
    problems: list[str] = []
    for column in contract.inputs:
        name = quoted(column.name)
        if column.name not in chosen:
            cells.append(f"null::{sql_type(column)} as {name}")
            continue
        actual = chosen[column.name]
        cells.append(f"{build_value(raw, actual, column, rules)} as {name}")
        if column.required or column.type != "string":
            said = build_given(raw, actual)
            if column.type == "boolean":
                said = f"case when lower({said}::varchar) not in {NOTHING_SAID} then {said} end"
            cells.append(f"{said} as {_given(column)}")
            given[column.name] = given_name(column.name)
        if column.type == "string" and not is_number(raw, actual):
            problems += _problems_of_text(column, actual, may_hold_nul=raw.may_hold_nul)
        problems += _problems_of(column, actual, fills=fills, may_be_blank=column.name in spared)
    if contract.hides_cards:
        kept = (c.name for c in contract.inputs if c.name in chosen and c.type == "string")
        problems = [*build_card_problems(kept), *problems]
    # A number is no word, and names no currency.
    texts = {name for name, actual in chosen.items() if not is_number(raw, actual)}
    problems += _problems_between(contract, chosen, rules, texts=texts)
    if contract in (ORDERS, ORDER_LINES):
        problems = [*_problems_of_sums(texts), *problems]
    names = ", ".join(quoted(column.name) for column in _kept(contract, chosen))
    rows = f"select {', '.join(cells)} from ({raw.relation})"
    if fills:
        rows = build_filled(rows, contract, chosen, given)
    if contract in (ORDERS, ORDER_LINES):
        names += f", {states.build('status')} as state"
    # What a permission says is kept as it was written, also where it is neither yes nor no.
    words = [c for c in contract.inputs if c.name in chosen and _keeps_word(c)]
    names += "".join(f", {_given(column)}" for column in words)
    verdict = f"case {' '.join(problems)} end" if problems else "null::varchar"
    checked = f"select line, {names}, {verdict} as verdict from ({rows})"
    return _numbered(checked, contract) if is_numbered_by_time(contract, chosen) else checked


def _kept(contract: Contract, chosen: Collection[str]) -> Iterator[Column]:
    """Yield the columns of the checked rows.

    Of order lines there may be many millions, and what else a file may say of orders is
    asked for only where it does: a column of nothing but NULL costs as much as any other.
    """
    asked = {"customer_id"}.union(chosen, (column.name for column in contract.columns))
    is_order = contract in (ORDERS, ORDER_LINES)
    yield from (column for column in contract.inputs if not is_order or column.name in asked)


def build_refused(checked: str = "checked") -> str:
    """Return SQL for ``line``, ``problem`` and ``detail`` of the bad rows of ``checked``."""
    return (
        "select line, split_part(verdict, ': ', 1) as problem, "
        "substr(verdict, instr(verdict, ': ') + 2) as detail "
        f"from {checked} where verdict is not null"
    )


def _says(problem: str, *detail: str) -> str:
    """Return SQL for a verdict; ``detail`` is SQL for its parts.

    One text, not a list: a row of a list column costs more than all the checks of the row.
    """
    return " || ".join((literal(f"{problem}: "), *detail))


def _numbered(checked: str, contract: Contract) -> str:
    """Number orders by customer and time: lines of one instant are one order.

    Rows that are orders themselves are counted within the instant by amount, not by
    place in the file, so that the same row keeps its number in the next export.
    """
    number = "coalesce(customer_id, '') || '@' || strftime(ordered_at, '%Y-%m-%dT%H:%M:%S.%f')"
    if contract is ORDERS:
        number += (
            " || '#' || row_number() over (partition by customer_id, ordered_at "
            "order by gross, line)"
        )
    return f"select * replace ({number} as order_id) from ({checked})"


def build_record(raw: Raw) -> str:
    """Return SQL that yields ``line`` and the raw row as JSON text, for quarantine."""
    if raw.is_json:
        return f"select {LINE} as line, text as record from ({raw.relation})"
    pairs = ", ".join(f"{literal(c)}, {quoted(c)}::varchar" for c in raw.columns)
    record = f"json_object({pairs})::varchar"
    return f"select {LINE} as line, {record} as record from ({raw.relation})"


def given_name(name: str) -> str:
    """Return the column of ``checked`` that holds a cell of yes or no as it was written."""
    return f"{name} as given"


def _keeps_word(column: Column) -> bool:
    return column.type == "boolean" or column.name.endswith("_opt_out_at")


def _given(column: Column) -> str:
    return quoted(given_name(column.name))


def unfit(text: str) -> str:
    """Return SQL that is true of a text no database keeps: one with a NUL character."""
    return f"(contains({text}, chr(0)) or contains({text}, {literal(NUL_SIGN)}))"


def _problems_of(column: Column, actual: str, *, may_be_blank: bool, fills: bool) -> list[str]:
    """Return the CASE branches that name what is wrong with one cell."""
    name, given, place = quoted(column.name), _given(column), f"{column.name} (column {actual!r})"
    found = []
    if column.required and not may_be_blank:
        blank = name if column.name == "customer_id" else given  # a stand-in is nobody
        bare = " and not is_bare" if fills and column.name in OF_A_LINE else ""
        if column.name in ("unit_price", "amount"):  # of a line of none: called off
            bare += " and quantity is distinct from 0"
        verdict = _says(f"missing_{column.name}", literal(f"{place} is empty"))
        found.append(f"when {blank} is null{bare} then {verdict}")
    if column.type == "string":
        return found
    is_bad = f"{name} is null"
    if column.type in (INSTANT, "date"):
        is_bad += f" or {name} < {EARLIEST} or {name} > {LATEST}"
    word = literal(f"{place} is no {column.kind}: ")
    verdict = _says(f"bad_{column.name}", word, f"{given}::varchar")
    found.append(f"when {given} is not null and ({is_bad}) then {verdict}")
    if column.type == MONEY:
        found.append(_too_large(name, place))
    return found


def _problems_of_text(column: Column, actual: str, *, may_hold_nul: bool) -> Iterator[str]:
    """Yield the branches for what no database keeps, and for an id too long for a ledger."""
    name, place = quoted(column.name), f"{column.name} (column {actual!r})"
    if may_hold_nul:
        detail = literal(f"{place} holds a NUL or half of a character")
        yield f"when {unfit(name)} then {_says('bad_text', detail)}"
    if column.name.endswith("_id"):
        says = literal(f"{place} has more than {LONGEST_ID} characters: ")
        verdict = _says(f"bad_{column.name}", says, f"left({name}, 40)")
        # Its bytes are known, its characters have to be counted.
        is_long = f"strlen({name}) > {LONGEST_ID} and length({name}) > {LONGEST_ID}"
        yield f"when {is_long} then {verdict}"


def _problems_between(
    contract: Contract, chosen: Collection[str], rules: Rules, *, texts: Collection[str]
) -> Iterator[str]:
    """Yield the CASE branches that concern more than one cell, or the workspace.

    ``texts`` are those of the chosen columns that hold more than numbers.
    """
    if "currency" in chosen:
        advice = literal(f", the workspace in {rules.currency}; {STATE}")
        verdict = _says("other_currency", "'the row is in '", "upper(currency)", advice)
        known = ", ".join(map(literal, (rules.currency, *rules.rates)))
        yield f"when upper(currency) not in ({known}) then {verdict}"
        yield from _problems_of_worth(contract, chosen, rules)
    if contract in (ORDERS, ORDER_LINES):
        has_currency = "currency" in chosen
        yield from _problems_of_order(contract, texts, rules, has_currency=has_currency)
    if contract is ORDER_LINES:
        if {"amount", "unit_price"} <= set(chosen):
            lacks = "'the line has neither an amount nor a price and a quantity'"
            yield (
                "when amount is null and quantity is distinct from 0 "
                "and (unit_price is null or quantity is null) then "
                + _says("missing_amount", lacks)
            )
        yield _too_large("quantity::double * unit_price::double", "quantity × unit price")


def _problems_of_worth(contract: Contract, chosen: Collection[str], rules: Rules) -> Iterator[str]:
    """Yield the branches for amounts that are too large once they are in one currency."""
    dear = [(code, rate) for code, rate in rules.rates.items() if rate > 1]
    if not dear:
        return
    rates = " ".join(f"when {literal(code)} then {rate:f}" for code, rate in dear)
    for column in contract.inputs:
        if column.type == MONEY and column.name in chosen and column.name != "quantity":
            worth = f"{quoted(column.name)}::double * case upper(currency) {rates} end"
            yield _too_large(worth, f"{column.name} in {rules.currency}")


def _problems_of_sums(texts: Collection[str]) -> Iterator[str]:
    """Yield the branches for sums below a table, which have few cells: whatever else they lack."""
    words = ", ".join(map(literal, SUMS))
    for name in ("order_id", "customer_id"):
        if name in texts:
            verdict = _says("sum_row", literal(f"the row is a sum of others: its {name} is "), name)
            # Nearly all are numbers, which come before the colon and before every letter.
            word = f"{name} >= ':' and lower(trim({name}, ' :')) in ({words})"
            yield f"when {word} then {verdict}"


def _problems_of_order(
    contract: Contract, texts: Collection[str], rules: Rules, *, has_currency: bool
) -> Iterator[str]:
    """Yield the branches for amounts that name another currency."""
    for column in contract.inputs:
        if column.type == MONEY and column.name in texts and column.name != "quantity":
            given = f"{_given(column)}::varchar"
            # Plain digits name nothing, which is quick to see.
            codes = build_currencies(given)
            code = f"case when try_cast({given} as double) is null then {codes} else '' end"
            own = literal(rules.currency)
            if has_currency:
                own = f"coalesce(upper(currency), {own})"
            verdict = _says(
                "other_currency",
                literal(f"{column.name} is in "),
                f"regexp_replace({codes}, ' .*', ' or another currency of its sign')",
                "', the row in '",
                own,
                literal("; name the currency of its amounts as `currency`"),
            )
            is_other = f"{code} <> '' and not list_contains(string_split({code}, ' '), {own})"
            yield f"when {is_other} then {verdict}"


def _too_large(amount: str, place: str) -> str:
    detail = literal(f"{place} is larger than {int(float(LARGEST)):,}")
    return f"when abs({amount}) > {LARGEST} then {_says('too_large', detail)}"


def _hint(name: str, known: object) -> str:
    near = get_close_matches(name, list(known), 1)  # type: ignore[call-overload]
    return f"; did you mean {near[0]!r}?" if near else ""


def _delimiter_hint(raw: Raw) -> str:
    if len(raw.columns) != 1:
        return ""
    (only,) = raw.columns
    found = [mark for mark in (";", "\t", "|", ",") if mark in only]
    return (
        f'; the fields look separated by {found[0]!r}: set delimiter = "{found[0]}"'
        if found
        else ""
    )
