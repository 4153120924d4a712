"""Turns one raw cell into SQL for its text and for its value of a contract's type.

A cell that cannot be read as its type becomes NULL beside a text that is not: that is
how the checks see it. Nothing is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass

from rekindle.config import SourceSettings
from rekindle.facts.contracts import INSTANT, MONEY, Column
from rekindle.facts.sources import Raw
from rekindle.facts.sql import literal, quoted
from rekindle.identity import BLANK_NAMES, NO_IDS, WORDS

NUMBERED = frozenset({"order_id", "customer_id", "product_id", "event_id", "phone"})
FLOATS = ("DOUBLE", "FLOAT")
SIGNS = "[£$€¥]"
GAPS = r"\s\x{00A0}\x{202F}''’"  # between thousands, in France and Switzerland among others
TRUE_WORDS = (
    "('true', 't', 'yes', 'y', '1', '1.0', 'on', 'ja', 'oui', 'subscribed', 'granted', "
    "'accepted', 'opt-in', 'opt_in', 'opted-in', 'opted_in', 'opted in')"
)
FALSE_WORDS = (
    "('false', 'f', 'no', 'n', '0', '0.0', 'off', 'nein', 'non', 'unsubscribed', 'denied', "
    "'declined', 'refused', 'revoked', 'withdrawn', 'opt-out', 'opt_out', 'opted-out', "
    "'opted_out', 'opted out')"
)
OFFSET = r" ?(Z|UTC|GMT|[+-]\d{2}(:?\d{2})?)$"
PLAIN_BLANKS = " \t\r\n"
BLANKS = " \t\r\n\u00a0\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202f\u2060\ufeff"
"""What is trimmed off ids, addresses and names, though most of it is not to be seen."""

STAND_INS = {
    "customer_id": NO_IDS,
    "email": WORDS,
    "phone": WORDS,
    "loyalty_id": WORDS,
    "first_name": BLANK_NAMES,
    "last_name": BLANK_NAMES,
}
SQL_TYPES = {"string": "varchar", INSTANT: "timestamptz", "int64": "bigint"}


@dataclass(frozen=True, slots=True)
class Rules:
    """What a source's rows are read by beside its contract."""

    source: SourceSettings
    currency: str
    zone: str


def ids_prefix(source: SourceSettings) -> str:
    """Return what is put before a source's customer ids, if they are its own."""
    if source.ids is None:
        return ""
    return f"{source.name if source.ids == 'own' else source.ids}:"


def sql_type(column: Column) -> str:
    """Return the DuckDB type a column is checked in."""
    return SQL_TYPES.get(column.type, column.type)


def build_text(raw: Raw, actual: str) -> str:
    """Return SQL for a cell as text, NULL when it is blank."""
    if raw.is_json:
        parts = [actual] if actual in raw.columns else actual.split(".")
        path = "$." + ".".join(f'"{part}"' for part in parts)
        return f"nullif(trim(json_extract_string(json, {literal(path)})), '')"
    cell = quoted(actual)
    if raw.columns[actual] == "VARCHAR":
        return f"nullif(trim({cell}), '')"
    return f"({build_given(raw, actual)})::varchar"


def build_given(raw: Raw, actual: str) -> str:
    """Return SQL for a cell as it is, NULL when it is blank; as text only where it is text."""
    if raw.is_json or raw.columns[actual] == "VARCHAR":
        return build_text(raw, actual)
    cell = quoted(actual)
    if raw.columns[actual] in FLOATS:  # NaN stands for a gap in data frames
        return f"case when not isnan({cell}) then {cell} end"
    return cell


def build_value(raw: Raw, actual: str, column: Column, rules: Rules) -> str:
    """Return SQL for a cell as the column's type, NULL when it cannot be that."""
    text = build_text(raw, actual)
    native = "VARCHAR" if raw.is_json else raw.columns[actual]
    if column.type == "string":
        text = _identifier(text, native) if column.name in NUMBERED else text
        return _somebody(text, native, column, rules) if column.name in STAND_INS else text
    if column.type == MONEY:
        is_text, comma = native == "VARCHAR", rules.source.decimal_comma
        amount = _plain_amount(text, comma=comma) if is_text else quoted(actual)
        return f"try_cast({amount} as decimal(18, 4))"
    if column.type == INSTANT:
        return _instant(text, quoted(actual), native, rules)
    if column.type == "date":
        return _day(text, quoted(actual), native, rules)
    if column.type == "boolean":
        lower = f"lower({text})"
        return (
            f"case when {lower} in {TRUE_WORDS} then true "
            f"when {lower} in {FALSE_WORDS} then false end"
        )
    return f"try_cast({text} as {sql_type(column)})"


def _somebody(text: str, native: str, column: Column, rules: Rules) -> str:
    """Leave out what stands for nobody, and blanks that nobody sees."""
    bare = text
    if native == "VARCHAR" or native in FLOATS:  # a whole number has no blanks around it
        # Trimming by letters of any script takes three times as long, and most ids have none.
        plain, any_script = (f"trim({text}, {literal(marks)})" for marks in (PLAIN_BLANKS, BLANKS))
        is_plain = f"strlen({text}) = length({text})"
        bare = f"nullif(case when {is_plain} then {plain} else {any_script} end, '')"
    words = ", ".join(map(literal, sorted(STAND_INS[column.name])))
    known = f"case when lower({bare}) not in ({words}) then {bare} end"
    prefix = ids_prefix(rules.source) if column.name == "customer_id" else ""
    return f"{literal(prefix)} || {known}" if prefix else known


def _identifier(text: str, native: str) -> str:
    """Undo the ``.0`` that spreadsheets and data frames put behind whole numbers."""
    if native == "VARCHAR" or native in FLOATS:
        whole = rf"regexp_replace({text}, '^(\d+)\.0$', '\1')"
        return f"case when {text} like '%.0' then {whole} else {text} end"
    return text


def _plain_amount(text: str, *, comma: bool) -> str:
    """Return SQL for an amount without currency sign and marks between thousands."""
    bare = rf"regexp_replace({text}, '^(-?){SIGNS}\s*|\s*{SIGNS}$', '\1')"
    mark, other = (",", ".") if comma else (".", ",")
    between = rf"[{GAPS}\{other}]"
    grouped = rf"regexp_matches({bare}, '^-?\d{{1,3}}({between}\d{{3}})+(\{mark}\d*)?$')"
    ungrouped = f"regexp_replace({bare}, '{between}', '', 'g')"
    if not comma:
        return f"case when {grouped} then {ungrouped} else {bare} end"
    # A lone point is no decimal mark here, and no thousands mark either: 12.50 is refused.
    return (
        f"replace(case when {grouped} then {ungrouped} "
        f"when not contains({bare}, '.') then {bare} end, ',', '.')"
    )


def _instant(text: str, cell: str, native: str, rules: Rules) -> str:
    zone = rules.source.timezone or rules.zone
    if native == "TIMESTAMP WITH TIME ZONE":
        return cell
    if native != "VARCHAR":
        return _in_zone(zone, f"try_cast({cell} as timestamp)")
    if (form := rules.source.date_format) is not None:
        parsed = f"try_strptime({text}, {literal(form)})"
        return parsed if "%z" in form.lower() else _in_zone(zone, parsed)
    return (
        f"case when length({text}) > 10 and regexp_matches({text}, '{OFFSET}') "
        f"then {_closed(text)} "
        f"else {_in_zone(zone, f'try_cast({text} as timestamp)')} end"
    )


def _closed(text: str) -> str:
    """Return SQL for the instant of a text that ends in an offset."""
    # The engine takes no space before an offset, and takes UTC for a part of no meaning.
    closed = f"regexp_replace({text}, ' ?(UTC|GMT)$', 'Z')"
    closed = rf"regexp_replace({closed}, ' ([+-]\d{{2}}:?\d{{2}})$', '\1')"
    return f"try_cast({closed} as timestamptz)"


def _day(text: str, cell: str, native: str, rules: Rules) -> str:
    """Return SQL for a calendar day: as written, or an instant's in the business's zone."""
    there = f"timezone({literal(rules.zone)}, {{}})::date"
    if native == "TIMESTAMP WITH TIME ZONE":
        return there.format(cell)
    if native != "VARCHAR":
        return f"try_cast({cell} as date)"
    if (form := rules.source.date_format) is not None:
        parsed = f"try_strptime({text}, {literal(form)})"
        return there.format(parsed) if "%z" in form.lower() else f"{parsed}::date"
    return (
        f"case when length({text}) > 10 and regexp_matches({text}, '{OFFSET}') "
        f"then {there.format(_closed(text))} else try_cast({text} as timestamp)::date end"
    )


def _in_zone(zone: str, timestamp: str) -> str:
    # The engine looks every row up in a calendar, which UTC can do without.
    if zone == "UTC":
        return f"make_timestamptz(epoch_us({timestamp}))"
    return f"timezone({literal(zone)}, {timestamp})"
