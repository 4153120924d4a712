"""Turns one raw cell into SQL for its text and for its value of a contract's type.

A cell that cannot be read as its type becomes NULL beside a text that is not: that is
how the checks see it. Nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Sequence

from rekindle.config import SourceSettings
from rekindle.facts.casting.amounts import (
    HUNDREDTHS,
    MINOR,
    build_amount,
    build_minor_parts,
    minor_parts,
)
from rekindle.facts.casting.dates import Finish, build_moment
from rekindle.facts.casting.rules import Rules
from rekindle.facts.contracts import INSTANT, MONEY, Column
from rekindle.facts.sources import Raw
from rekindle.facts.sources.raw import PATH
from rekindle.facts.sql import literal, quoted
from rekindle.identity import BLANK_NAMES, NO_IDS, WORDS

NUMBERED = frozenset({"order_id", "customer_id", "product_id", "event_id", "phone"})
FLOATS = ("DOUBLE", "FLOAT")
WHOLE_NUMBERS = frozenset(
    f"{sign}{size}" for size in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT") for sign in ("", "U")
)
TRUE_WORDS = (
    "('true', 't', 'yes', 'y', '1', '1.0', 'on', 'ja', 'oui', 'sí', 'si', 'sì', 'sim', 'tak', "
    "'wahr', 'vrai', 'verdadero', 'vero', 'verdadeiro', 'waar', 'sand', 'prawda', 'subscribed', "
    "'granted', 'accepted', 'opt-in', 'opt_in', 'opted-in', 'opted_in', 'opted in')"
)
NO_WORDS = (
    "'false', 'f', 'no', 'n', '0', '0.0', 'off', 'nein', 'non', 'nej', 'nee', 'não', 'nie', "
    "'falsch', 'faux', 'falso', 'onwaar', 'falsk', 'fałsz'"
)
"""What says no to whatever a column asks; other words are of what it asks."""
FALSE_WORDS = (
    f"({NO_WORDS}, 'unsubscribed', 'denied', 'declined', 'refused', 'revoked', 'withdrawn', "
    "'opt-out', 'opt_out', 'opted-out', 'opted_out', 'opted out')"
)
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
        parts = [actual] if raw.columns.get(actual, PATH) != PATH else actual.split(".")
        path = "$." + ".".join(f'"{part}"' for part in parts)
        return f"nullif(trim(json_extract_string(json, {literal(path)})), '')"
    cell = quoted(actual)
    if raw.columns[actual] == "VARCHAR":
        return f"nullif(trim({cell}), '')"
    return f"({build_given(raw, actual)})::varchar"


def is_number(raw: Raw, actual: str) -> bool:
    """Return whether the engine knows a cell as a number, so that its text is one too."""
    return not raw.is_json and raw.columns[actual] in WHOLE_NUMBERS.union(FLOATS)


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
        if column.name == "postcode" and native == "VARCHAR":  # so do exports, for spreadsheets
            text = f"regexp_replace({text}, '^''(\\w)', '\\1')"
        if column.name not in STAND_INS:
            return text
        return _somebody(text, native, column, rules, cell=quoted(actual))
    if column.type == MONEY:
        form = rules.amount_form(column.name)
        if native == "VARCHAR" or form in (HUNDREDTHS, MINOR):
            return build_amount(text, form, _minor_parts(raw, rules) if form == MINOR else "100")
        return f"try_cast({quoted(actual)} as {MONEY})"
    if column.type == INSTANT:
        zone = rules.source.timezone or rules.zone
        return _instant(text, quoted(actual), native, rules.date_form(column.name), zone)
    if column.type == "date":
        return _day(text, quoted(actual), native, rules.date_form(column.name), rules.zone)
    if column.type == "boolean":
        lower = f"lower({text})"
        return (
            f"case when {lower} in {TRUE_WORDS} then true "
            f"when {lower} in {FALSE_WORDS} then false end"
        )
    return f"try_cast({text} as {sql_type(column)})"


def _minor_parts(raw: Raw, rules: Rules) -> str:
    """Return SQL for how many smallest units are one, by the currency that a row names."""
    wanted = rules.source.columns.get("currency", "")
    known = {name.lower(): name for name in raw.columns}
    told = wanted if raw.is_json else known.get(wanted.lower(), "")
    if not told:
        return str(minor_parts(rules.currency))
    return build_minor_parts(rules.currency, build_text(raw, told))


def _somebody(text: str, native: str, column: Column, rules: Rules, *, cell: str) -> str:
    """Leave out what stands for nobody, and blanks that nobody sees."""
    stand_ins = sorted(STAND_INS[column.name])
    if native in WHOLE_NUMBERS:  # it has no blanks around it, and few words are one
        stand_ins = [word for word in stand_ins if word.isdecimal()]
        numbers = ", ".join(["null", *stand_ins])
        known = f"case when {cell} in ({numbers}) then null else {text} end"
        prefix = ids_prefix(rules.source) if column.name == "customer_id" else ""
        return f"{literal(prefix)} || {known}" if prefix else known
    bare = text
    if native == "VARCHAR" or native in FLOATS:
        # Trimming by letters of any script takes three times as long, and most ids have none.
        plain, any_script = (f"trim({text}, {literal(marks)})" for marks in (PLAIN_BLANKS, BLANKS))
        is_plain = f"strlen({text}) = length({text})"
        bare = f"nullif(case when {is_plain} then {plain} else {any_script} end, '')"
    words = ", ".join(map(literal, stand_ins))
    known = f"case when lower({bare}) not in ({words}) then {bare} end"
    if column.name != "customer_id":
        return known
    prefix = ids_prefix(rules.source)
    return f"{literal(prefix)} || {known}" if prefix else _plain_id(known, rules.prefixes)


def _plain_id(known: str, prefixes: Sequence[str]) -> str:
    """Return SQL for an id without a prefix, so that it is never equal to one that has one.

    One that looks as if it had gets a colon before it, and one more than it has already.
    """
    if not prefixes:
        return known
    looks = " or ".join(f"starts_with(ltrim({known}, ':'), {literal(one)})" for one in prefixes)
    return f"case when contains({known}, ':') and ({looks}) then ':' || {known} else {known} end"


def _identifier(text: str, native: str) -> str:
    """Undo what spreadsheets do to numbers: ``.0`` behind whole ones, an apostrophe before."""
    if native == "VARCHAR" or native in FLOATS:
        whole = rf"regexp_replace({text}, '^(\d+)\.0$', '\1')"
        bare = rf"regexp_replace({text}, '^''([\d+])', '\1')"
        return (
            f"case when {text} like '%.0' then {whole} "
            f"when starts_with({text}, chr(39)) then {bare} else {text} end"
        )
    return text


def _instant(text: str, cell: str, native: str, form: str | None, zone: str) -> str:
    if native == "TIMESTAMP WITH TIME ZONE":
        return cell
    finish = Finish(aware=str, local=lambda moment: _in_zone(zone, moment))
    if native != "VARCHAR" and form is None:
        return finish.local(f"try_cast({cell} as timestamp)")
    return build_moment(text, form, finish)


def _day(text: str, cell: str, native: str, form: str | None, zone: str) -> str:
    """Return SQL for a calendar day: as written, or an instant's in the business's zone."""
    there = f"timezone({literal(zone)}, {{}})::date"
    if native == "TIMESTAMP WITH TIME ZONE":
        return there.format(cell)
    if native != "VARCHAR" and form is None:
        return f"try_cast({cell} as date)"
    return build_moment(text, form, Finish(there.format, "({})::date".format))


def _in_zone(zone: str, timestamp: str) -> str:
    # The engine looks every row up in a calendar, which UTC can do without.
    if zone == "UTC":
        return f"make_timestamptz(epoch_us({timestamp}))"
    return f"timezone({literal(zone)}, {timestamp})"
