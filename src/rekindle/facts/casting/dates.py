"""How dates are written, and the SQL that reads them.

A form is None for ISO 8601 in all its spellings, a ``strptime`` format, several of them
between bars, or one of ``DATE_WORDS`` for what counts seconds or days. Words for months,
a.m. and p.m., zones by their letters and unusual blanks are understood in every form.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from rekindle.facts.casting.months import FILLERS, MONTHS, WEEKDAYS, ZONES
from rekindle.facts.sql import literal, named

OFFSET = r" ?(Z|UTC|GMT|[+-]\d{2}(:?\d{2})?)$"
COUNTED = {"epoch seconds": 1_000_000, "epoch milliseconds": 1_000, "epoch microseconds": 1}
SHEET_DAYS = "excel days"
ISO = "iso"
DATE_WORDS = (ISO, *COUNTED, SHEET_DAYS)
BAR = " | "
LAST_MICROSECOND = 253_402_300_799_000_000  # of the year 9999
SHEET_EPOCH = 25_569  # days from 1899-12-30, where sheets begin to count, to 1970-01-01
SHEET_LAST = 2_958_466
UNUSUAL = r"[\s\x{00A0}\x{2007}\x{2009}\x{202F}]+"


@dataclass(frozen=True, slots=True)
class Finish:
    """What becomes of a moment: one that names its offset, and one on a local clock."""

    aware: Callable[[str], str]
    local: Callable[[str], str]


def build_moment(text: str, form: str | None, finish: Finish) -> str:
    """Return SQL for the moment that ``text`` (SQL) names in a form, NULL where it names none."""
    found = [_moment(text, one, finish) for one in (form or ISO).split(BAR)]
    return _first(*found)


def _moment(text: str, form: str, finish: Finish) -> str:
    if form == ISO:
        tidied = named(_as_iso(text), "iso", _iso("iso", finish))
        return _first(_iso(text, finish), tidied, _calendar(text, finish))
    if form in COUNTED:
        return finish.aware(_counted(text, COUNTED[form]))
    if form == SHEET_DAYS:
        return finish.local(_sheet_days(text))
    end = finish.aware if "%z" in form.lower() else finish.local
    plain = end(f"try_strptime({text}, {literal(form)})")
    tidy = end(f"try_strptime({_tidied(text, form)}, {literal(tidy_form(form))})")
    return _first(plain, tidy)


def _first(sql: str, *others: str) -> str:
    """Return SQL for the first value that is there, where COALESCE would reckon all of them."""
    return f"case when {sql} is not null then {sql} else {_first(*others)} end" if others else sql


def tidy_form(form: str) -> str:
    """Return the form of a date after ``_tidied``."""
    form = re.sub(r"%[aA]", "", form).replace("%B", "%b").replace("%Z", "%z")
    if "%b" in form:
        form = form.replace(",", " ").replace(". ", " ")
    form = re.sub(r"\s*%z$", " %z", re.sub(r"\s*%p", " %p", form))
    return re.sub(r"\s+", " ", form).strip()


def _tidied(text: str, form: str) -> str:
    """Return SQL for a date with one blank between its parts, English months and an offset."""
    tidy = f"trim(regexp_replace({text}, '{UNUSUAL}', ' ', 'g'))"
    if "%p" in form:
        tidy = rf"regexp_replace({tidy}, '(?i)(\d) ?([ap])\.? ?m\b\.?', '\1 \2m')"
    if "%z" in form.lower():
        tidy = _zoned(tidy)
    if "%b" not in form and "%B" not in form:
        tidy = rf"regexp_replace({tidy}, '(?i)^({'|'.join(WEEKDAYS)})\.?,? +| *uhr$', '', 'g')"
        return tidy if "%p" in form else rf"regexp_replace({tidy}, '(\d)h(\d\d)', '\1:\2')"
    return _english(tidy)


WORD_STEPS = (
    # "mar" is Tuesday where a day and a month follow, and March where a day and a year do.
    (rf"^({'|'.join(WEEKDAYS)})\b\.?,? *(\d{{1,2}}\.? *[a-z]|[a-z])", r"\2"),
    (r"(\d)(st|nd|rd|th|er|º|ª|e)\b", r"\1"),
    (rf"\b({'|'.join(FILLERS)})\b\.?", " "),
    (r" a (\d)", r" \1"),
    (r",|\. |\.$", " "),
)
"""What is replaced, in small letters without accents, before the word of a month is read."""
MONTH = rf"(?:^|[^a-z])({'|'.join(sorted(MONTHS, key=len, reverse=True))})(?:[^a-z]|$)"


def _english(text: str) -> str:
    """Return SQL for a date whose month is three English letters, other words left out."""
    low = f"strip_accents(lower({text}))"
    for pattern, by in WORD_STEPS:
        low = f"regexp_replace({low}, {literal(pattern)}, {literal(by)}, 'g')"
    table = "map {" + ", ".join(f"{literal(a)}: {literal(b)}" for a, b in MONTHS.items()) + "}"
    english = named(
        f"regexp_extract(low, {literal(MONTH)}, 1)",
        "word",
        f"replace(low, word, {table}[word])",
    )
    english = named(low, "low", english)
    # What a month's full stop leaves: "15.jan.-24".
    english = rf"regexp_replace({english}, '([a-z])\.', '\1', 'g')"
    return f"trim(regexp_replace({english}, ' +', ' ', 'g'))"


def _zoned(text: str) -> str:
    """Return SQL for a text that ends in an offset of digits, with one blank before it."""
    bare = rf"regexp_replace({text}, ' ?\([A-Za-z ]+\)$', '')"
    bare = rf"regexp_replace({bare}, '(?i)(gmt|utc)([+-]\d)', '\2')"
    word = rf"lower(regexp_extract(bare, '(?i)[\d m]({'|'.join(ZONES)})$', 1))"
    table = "map {" + ", ".join(f"{literal(a)}: {literal(b)}" for a, b in ZONES.items()) + "}"
    zone = (
        "case when word <> '' then "
        f"trim(left(bare, length(bare) - length(word))) || {table}[word] else bare end"
    )
    zoned = named(bare, "bare", named(word, "word", zone))
    return rf"regexp_replace({zoned}, ' ?([+-]\d{{2}}:?\d{{2}})$', ' \1')"


def _iso(text: str, finish: Finish) -> str:
    return (
        f"case when length({text}) > 10 and regexp_matches({text}, '{OFFSET}') "
        f"then {finish.aware(_closed(text))} "
        f"else {finish.local(f'try_cast({text} as timestamp)')} end"
    )


def _closed(text: str) -> str:
    """Return SQL for the instant of a text that ends in an offset."""
    # The engine takes no space before an offset, and takes UTC for a part of no meaning.
    closed = f"regexp_replace({text}, ' ?(UTC|GMT)$', 'Z')"
    closed = rf"regexp_replace({closed}, ' ([+-]\d{{2}}:?\d{{2}})$', '\1')"
    return f"try_cast({closed} as timestamptz)"


def _as_iso(text: str) -> str:
    """Return SQL for ISO 8601 of any spelling as the engine reads it.

    The compact form, a comma before fractions, no seconds before an offset, a zone by its
    letters, and blanks that are not quite blanks.
    """
    day, clock = r"^(\d{4})-?(\d{2})-?(\d{2})", r"[T ]*(\d{2}):?(\d{2})"
    iso = f"upper(trim(regexp_replace({text}, '{UNUSUAL}', ' ', 'g')))"
    iso = rf"regexp_replace({iso}, '{day}[, ]*{clock}:?(\d{{2}})', '\1-\2-\3 \4:\5:\6')"
    end = r"( ?(?:[A-Z]{1,5}|[+-]\d{2}(?::?\d{2})?))?$"
    iso = rf"regexp_replace({iso}, '{day}[, ]*{clock}{end}', '\1-\2-\3 \4:\5:00\6')"
    iso = rf"regexp_replace({iso}, '(:\d{{2}}),(\d)', '\1.\2')"
    zoned = rf"case when regexp_matches(tidy, '^\d{{4}}-\d') then {_zoned('tidy')} end"
    return named(iso, "tidy", zoned)


def _calendar(text: str, finish: Finish) -> str:
    """Return SQL for weeks (2024-W01-3) and days of the year (2024-003) of ISO 8601."""
    forms = "['%G-W%V-%u', '%GW%V%u', '%Y-%j']"
    is_one = rf"regexp_matches({text}, '^\d{{4}}(-?[Ww]\d{{2}}-?[1-7]|-\d{{3}})$')"
    return finish.local(f"case when {is_one} then try_strptime(upper({text}), {forms}) end")


def _counted(text: str, micros: int) -> str:
    """Return SQL for an instant that counts from 1970; what leaves the calendar is none."""
    counted = f"round(try_cast({text} as double) * {micros})"
    return (
        f"case when {counted} between 0 and {LAST_MICROSECOND} "
        f"then make_timestamptz({counted}::bigint) end"
    )


def _sheet_days(text: str) -> str:
    """Return SQL for days since 1899-12-30 with the time as a fraction, to the second."""
    days = f"try_cast(replace({text}, ',', '.') as double)"
    seconds = f"round(({days} - {SHEET_EPOCH}) * 86400)"
    return (
        f"case when {days} between 1 and {SHEET_LAST} "
        f"then make_timestamp(({seconds} * 1000000)::bigint) end"
    )
