"""Finds out how the dates of a column are written.

Forms are drawn from what single values look like; the import's own reader then says how
many values each of them reads, so that what is proposed is what will be read.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from rekindle.facts.casting import Finish, build_moment
from rekindle.facts.casting.dates import BAR, COUNTED, ISO, SHEET_DAYS, WORD_STEPS

MOST_FORMS = 24
MOST_TOGETHER = 3
COUNTS = {10: "epoch seconds", 13: "epoch milliseconds", 16: "epoch microseconds"}
# Days in sheets from 1970 to 2099; seconds from 1990 to 2100.
SHEET = (25_569, 73_050)
SECONDS = (631_152_000, 4_102_444_800)

TIME = re.compile(
    r"(?P<between>[\sT,]*|\s-\s)(?P<hour>\d{1,2})(?P<mark>[:.h])\d{2}(?P<seconds>[:.]\d{2})?"
    r"(?P<fraction>[.,]\d{1,6})?(?P<half>\s?[ap]\.?\s?m\b\.?)?(?:\s?uhr)?"
    r"(?P<zone>\s?(?:[+-]\d{2}:?\d{2}|(?:gmt|utc)?[+-]\d{2}:?\d{2}|z|[a-z]{3,4})"
    r"(?:\s?\([a-z ]+\))?)?",
    re.IGNORECASE,
)
NUMBERS = re.compile(r"(\d{1,4})(\s?[./-]\s?|\s)(\d{1,2})(\s?[./-]\s?|\s)(\d{4}|\d{2})(?!\d)")
DAY_WORD = re.compile(r"(\d{1,2})([-./\s]*)([^\W\d_]{3,})\.?([-./\s]*)(\d{4}|\d{2})(?!\d)")
WORD_DAY = re.compile(r"([^\W\d_]{3,})\.?([-./\s]*)(\d{1,2})([-./\s]+)(\d{4}|\d{2})(?!\d)")
YEAR_WORD = re.compile(r"(\d{4})([-./\s]+)([^\W\d_]{3,})\.?([-./\s]+)(\d{1,2})(?!\d)")


@dataclass(frozen=True, slots=True)
class DateGuess:
    """How the dates of a column are written, and the share of its values that are so.

    ``form`` None is ISO 8601. ``others`` are forms that read the same values as other days,
    as with day and month the other way round.
    """

    form: str | None
    share: float
    others: tuple[str, ...] = ()


def guess_dates(con: duckdb.DuckDBPyConnection, values: Sequence[str]) -> DateGuess | None:
    """Return how most of ``values`` are written as dates, or None where none is a date."""
    forms = _candidates(values)
    reads = _reads(con, values, forms)
    # Of forms that read as much, the first: ISO, then days before months.
    best = max(forms, key=lambda form: len(reads[form]))
    if not reads[best]:
        return None
    together, read = [best], set(reads[best])
    # Of those that read as much, first what takes day and month as the best one does.
    for form in sorted(forms, key=lambda form: (-len(reads[form]), _differ(form, best))):
        fresh = reads[form] - read
        if fresh and len(together) < MOST_TOGETHER and not _contradicts(form, together):
            together.append(form)
            read |= fresh
    form, share = BAR.join(together), len(read) / len(values)
    return DateGuess(None if form == ISO else form, share, tuple(_others(together, reads)))


def _others(together: Sequence[str], reads: Mapping[str, set[int]]) -> Iterator[str]:
    if len(together) == 1:
        (best,) = together
        yield from (f for f in reads if f != best and reads[f] == reads[best] and best != ISO)
    elif all(reads.get(swap(form)) == reads[form] and swap(form) != form for form in together):
        yield BAR.join(map(swap, together))


def swap(form: str) -> str:
    """Return the form with day and month the other way round."""
    return form.replace("%d", "%x").replace("%m", "%d").replace("%x", "%m")


def _contradicts(form: str, others: Sequence[str]) -> bool:
    """Return whether a form takes the day for the month of another one, or counts.

    Dates with other marks between their parts come from another hand, with an order of its own.
    """
    if form in (*COUNTED, SHEET_DAYS) or any(one in (*COUNTED, SHEET_DAYS) for one in others):
        return True
    return any(_differ(form, one) for one in others if one[2:3] == form[2:3])


def _differ(form: str, other: str) -> bool:
    """Return whether one takes for the day what the other takes for the month."""
    return len({_is_month_first(form), _is_month_first(other)} - {None}) > 1


def _is_month_first(form: str) -> bool | None:
    if "%m" not in form or form.startswith("%Y"):
        return None
    return form.index("%m") < form.index("%d")


def _reads(
    con: duckdb.DuckDBPyConnection, values: Sequence[str], forms: Sequence[str]
) -> dict[str, set[int]]:
    """Return which values (by place) each form reads."""
    finish = Finish(aware=str, local=str)
    con.execute(
        "create or replace temp table seen as select unnest($values) as v, "
        "unnest(range(len($values))) as n",
        {"values": list(values)},
    )
    found = {}
    for form in forms:
        moment = f"({build_moment('v', form, finish)})::timestamp"
        sql = f"select n from seen where {moment} >= timestamp '1900-01-01'"
        if form in COUNTED or form == SHEET_DAYS:  # any number counts something
            found[form] = {n for n, value in enumerate(values) if form in _counted(value)}
        else:
            found[form] = {n for (n,) in con.execute(sql).fetchall()}
    return found


def _candidates(values: Sequence[str]) -> list[str]:
    """Return the forms that single values suggest, the most frequent ones."""
    tally: Counter[str] = Counter()
    for value in values:
        tally.update(dict.fromkeys(candidate_forms(value), 1))
    often = [form for form, _ in tally.most_common(MOST_FORMS)]
    return [
        ISO,
        *sorted(
            often,
            key=lambda form: (
                ("%d", "%m").index(form[:2])
                if form[:2] in ("%d", "%m")
                else 2 * form.startswith("%y")
            ),
        ),
    ]


def candidate_forms(value: str) -> Iterator[str]:
    """Yield the forms a value may be written in, besides ISO 8601."""
    yield from _counted(value)
    text = re.sub(r"\s+", " ", value.strip())
    if re.fullmatch(r"\d{8}", text):
        yield from ("%Y%m%d", "%d%m%Y", "%m%d%Y")
    bare = re.sub(r"(?i)^[^\W\d_]+\.?,? (?=\d)", "", text)
    if found := NUMBERS.match(bare):
        rest = _rest(bare[found.end() :])
        for day in _numeric(*found.groups()):
            yield from (day + one for one in rest)
    plain = _plain(text)
    for pattern, parts in ((DAY_WORD, "%d{}%b{}{}"), (WORD_DAY, "%b{}%d{}{}")):
        if found := pattern.match(plain):
            first, second = _mark(found[2]), _mark(found[4])
            day = parts.format(first, second, _year(found[5]))
            yield from (day + one for one in _rest(plain[found.end() :]))
    if found := YEAR_WORD.match(plain):
        day = f"%Y{_mark(found[2])}%b{_mark(found[4])}%d"
        yield from (day + one for one in _rest(plain[found.end() :]))


def _counted(value: str) -> Iterator[str]:
    if not re.fullmatch(r"\d+([.,]\d+)?", value):
        return
    whole, number = re.split("[.,]", value)[0], float(value.replace(",", "."))
    unit = COUNTS.get(max(10, len(whole)))
    if unit and SECONDS[0] <= number * COUNTED[unit] / 1_000_000 <= SECONDS[1]:
        yield unit
    if SHEET[0] <= number <= SHEET[1]:
        yield SHEET_DAYS


def _numeric(first: str, mark: str, second: str, other: str, last: str) -> Iterator[str]:
    one, two = _mark(mark), _mark(other)
    if len(first) == 4:
        yield f"%Y{one}%m{two}%d"
    elif len(first) <= 2:
        yield f"%d{one}%m{two}{_year(last)}"
        yield f"%m{one}%d{two}{_year(last)}"
        if len(last) == 2:
            yield f"%y{one}%m{two}%d"


def _mark(text: str) -> str:
    return text if text.strip() else (" " if text else "")


def _year(text: str) -> str:
    return "%Y" if len(text) == 4 else "%y"


def _rest(text: str) -> list[str]:
    """Return the forms of what follows a day: nothing, or a time and perhaps a zone."""
    if not text.strip(" ."):
        return [text.rstrip()]
    found = TIME.fullmatch(text)
    if found is None:
        return []
    form = "%I" if found["half"] else "%H"
    form += f"{'.' if found['mark'] == '.' else ':'}%M"
    form += f"{found['seconds'][0]}%S" if found["seconds"] else ""
    form += f"{found['fraction'][0]}%f" if found["fraction"] else ""
    form += " %p" if found["half"] else ""
    form += " %z" if found["zone"] else ""
    between = found["between"]
    return [(between if between.strip() else " ") + form]


def _plain(text: str) -> str:
    """Return a date in small letters, without the words that say nothing."""
    marks = unicodedata.normalize("NFKD", text.lower())
    low = "".join(letter for letter in marks if not unicodedata.combining(letter))
    for pattern, by in WORD_STEPS:
        low = re.sub(pattern, by, low)
    return re.sub(" +", " ", low).strip()
