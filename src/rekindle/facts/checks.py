"""Turns raw rows into typed ones, and names what is wrong with those that are not.

One SQL projection a file: every contract column cast by its type, plus the first
problem of the row. A row with a problem goes to quarantine; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches

from rekindle.config import SourceSettings
from rekindle.errors import SourceError
from rekindle.facts.contracts import INSTANT, MONEY, ORDER_LINES, ORDERS, Column, Contract
from rekindle.facts.reading import Raw, literal, quoted

ID_COLUMNS = frozenset({"order_id", "customer_id", "product_id", "event_id"})
CURRENCY_SIGNS = "[£$€¥]"
TRUE_WORDS = "('true', 't', 'yes', 'y', '1', 'subscribed', 'granted')"
FALSE_WORDS = "('false', 'f', 'no', 'n', '0', 'unsubscribed', 'denied')"
OFFSET = r"(Z|[+-]\d{2}(:?\d{2})?)$"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a source's rows are read by beside its contract."""

    source: SourceSettings
    currency: str
    zone: str


def resolve_columns(raw: Raw, contract: Contract, source: SourceSettings) -> dict[str, str]:
    """Return contract column → raw column for the columns this source gives.

    Raises:
        SourceError: a mapped column is not in the file, or a required one is not mapped.
    """
    known = {column.name for column in contract.inputs}
    lowered = {name.lower(): name for name in raw.columns}
    chosen = {}
    for name, wanted in source.columns.items():
        if name not in known:
            raise SourceError(
                f"source {source.name!r}: {contract.table} has no column {name!r}"
                + _hint(name, known)
            )
        actual = wanted if wanted in raw.columns or raw.is_json else lowered.get(wanted.lower())
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


def missing_columns(contract: Contract, chosen: Collection[str]) -> list[str]:
    """Return the required columns that are not given and cannot be made up for.

    Orders without a number of their own are told apart by customer and time.
    """
    missing = [c.name for c in contract.inputs if c.required and c.name not in chosen]
    if is_numbered_by_time(contract, chosen):
        missing.remove("order_id")
    return missing


def is_numbered_by_time(contract: Contract, chosen: Collection[str]) -> bool:
    """Return whether order ids have to be made of customer and time."""
    given = {"customer_id", "ordered_at"} <= set(chosen) and "order_id" not in chosen
    return given and contract in (ORDERS, ORDER_LINES)


def build_checked(raw: Raw, contract: Contract, rules: Rules) -> str:
    """Return SQL that yields typed input columns, ``line``, ``problem`` and ``detail``.

    A column the source does not give is NULL. ``problem`` is NULL for a sound row.
    """
    chosen = resolve_columns(raw, contract, rules.source)
    typed, problems = [], []
    for column in contract.inputs:
        if column.name not in chosen:
            typed.append(f"null::{_sql_type(column)} as {quoted(column.name)}")
            continue
        text, value = _cast(raw, chosen[column.name], column, rules)
        typed.append(f"{value} as {quoted(column.name)}")
        problems += _column_problems(column, text, value, chosen[column.name])
    if "currency" in chosen:
        value = raw_text(raw, chosen["currency"])
        problems.append(
            f"when upper({value}) <> {literal(rules.currency)} then ['other_currency', "
            f"'the row is in ' || upper({value}) || ', the workspace in {rules.currency}; "
            "convert it or import it into a workspace of its own']"
        )
    verdict = "case " + " ".join(problems) + " end" if problems else "null::varchar[]"
    checked = (
        f"select line, {', '.join(typed)}, ({verdict})[1] as problem, ({verdict})[2] as detail "
        f"from ({raw.relation})"
    )
    return _numbered(checked, contract) if is_numbered_by_time(contract, chosen) else checked


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
        return f"select line, text as record from ({raw.relation})"
    pairs = ", ".join(f"{literal(c)}, {quoted(c)}::varchar" for c in raw.columns)
    return f"select line, json_object({pairs})::varchar as record from ({raw.relation})"


def _column_problems(column: Column, text: str, value: str, actual: str) -> list[str]:
    found = []
    if column.required:
        found.append(
            f"when {text} is null then ['missing_{column.name}', "
            f"{literal(f'{column.name} (column {actual!r}) is empty')}]"
        )
    if column.type != "string":
        word = {INSTANT: "date", MONEY: "number", "boolean": "yes or no"}.get(
            column.type, column.type
        )
        start = f"{column.name} (column {actual!r}) is no {word}: "
        found.append(
            f"when {text} is not null and {value} is null then ['bad_{column.name}', "
            f"{literal(start)} || {text}]"
        )
    return found


def _cast(raw: Raw, actual: str, column: Column, rules: Rules) -> tuple[str, str]:
    """Return SQL for the cell as text (NULL when blank) and as the contract's type."""
    text = raw_text(raw, actual)
    native = "VARCHAR" if raw.is_json else raw.columns[actual]
    if column.type == "string":
        return text, _identifier(text, native) if column.name in ID_COLUMNS else text
    if column.type == MONEY:
        return text, _money(text, quoted(actual), native, comma=rules.source.decimal_comma)
    if column.type == INSTANT:
        return text, _instant(text, quoted(actual), native, rules)
    if column.type == "boolean":
        lower = f"lower({text})"
        return text, (
            f"case when {lower} in {TRUE_WORDS} then true "
            f"when {lower} in {FALSE_WORDS} then false end"
        )
    return text, f"try_cast({text} as {_sql_type(column)})"


def raw_text(raw: Raw, actual: str) -> str:
    """Return SQL for a cell as text, NULL when it is blank."""
    if raw.is_json:
        path = "$." + ".".join(f'"{part}"' for part in actual.split("."))
        return f"nullif(trim(json_extract_string(json, {literal(path)})), '')"
    if raw.columns[actual] == "VARCHAR":
        return f"nullif(trim({quoted(actual)}), '')"
    return f"{quoted(actual)}::varchar"


def _identifier(text: str, native: str) -> str:
    """Undo the ``.0`` that spreadsheets and data frames put behind whole numbers."""
    if native in ("VARCHAR", "DOUBLE", "FLOAT"):
        whole = rf"regexp_replace({text}, '^(\d+)\.0$', '\1')"
        return f"case when {text} like '%.0' then {whole} else {text} end"
    return text


def _money(text: str, cell: str, native: str, *, comma: bool) -> str:
    if native != "VARCHAR":
        return f"try_cast({cell} as decimal(18, 4))"
    plain = f"regexp_replace({text}, '^(-?){CURRENCY_SIGNS}\\s*|\\s*{CURRENCY_SIGNS}$', '\\1')"
    if comma:
        plain = f"replace(replace({plain}, '.', ''), ',', '.')"
    else:
        plain = (
            f"case when regexp_matches({plain}, '^-?\\d{{1,3}}(,\\d{{3}})+(\\.\\d*)?$') "
            f"then replace({plain}, ',', '') else {plain} end"
        )
    return f"try_cast({plain} as decimal(18, 4))"


def _instant(text: str, cell: str, native: str, rules: Rules) -> str:
    zone = literal(rules.source.timezone or rules.zone)
    if native == "TIMESTAMP WITH TIME ZONE":
        return f"try_cast({cell} as timestamptz)"
    if native != "VARCHAR":
        return f"timezone({zone}, try_cast({cell} as timestamp))"
    if rules.source.date_format is not None:
        form = literal(rules.source.date_format)
        return f"timezone({zone}, try_strptime({text}, {form}))"
    return (
        f"case when regexp_matches({text}, '{OFFSET}') and length({text}) > 10 "
        f"then try_cast({text} as timestamptz) "
        f"else timezone({zone}, try_cast({text} as timestamp)) end"
    )


def _sql_type(column: Column) -> str:
    return {"string": "varchar", INSTANT: "timestamptz", "int64": "bigint"}.get(
        column.type, column.type
    )


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
