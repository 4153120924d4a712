"""Finds out how the amounts of a column are written, by the import's own reader."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from rekindle.facts.casting import build_amount, build_currencies
from rekindle.facts.casting.amounts import COMMA, HUNDREDTHS, POINT
from rekindle.facts.sources import plain

# The last two as billers' interfaces call what they tell in the smallest unit.
IN_HUNDREDTHS = re.compile(r"(cents?|pence|minorunits?|minor)$|^(unitamount|planamount)$")


@dataclass(frozen=True, slots=True)
class AmountGuess:
    """How the amounts of a column are written, and the share of its values that are so.

    ``is_open`` says that the mark could be one between thousands or before the cents, and
    ``is_neutral`` that every form reads the same.
    """

    form: str
    share: float
    is_open: bool = False
    is_neutral: bool = False


def guess_amounts(
    con: duckdb.DuckDBPyConnection, values: Sequence[str], *, header: str = "", usual: str = ""
) -> AmountGuess | None:
    """Return how most of ``values`` are written as amounts, or None where none is one.

    ``usual`` is the form of the file's other amounts, where it has one.
    """
    point, comma = build_amount("v", POINT), build_amount("v", COMMA)
    by_point, by_comma, only_point, only_comma, both = con.execute(
        f"select count(p), count(c), count(*) filter (where c is null and p is not null), "
        f"count(*) filter (where p is null and c is not null), count(*) filter (where p <> c) "
        f"from (select {point} as p, {comma} as c from (select unnest($values) as v))",
        {"values": list(values)},
    ).fetchall()[0]
    if not by_point and not by_comma:
        return None
    if IN_HUNDREDTHS.search(plain(header)) and by_point == by_comma and not both:
        return AmountGuess(HUNDREDTHS, by_point / len(values))
    is_open = only_point == only_comma and both > 0
    if is_open:
        # 1.234 and 1,234 without another sign: marks between thousands, unless others say so.
        form = usual or (COMMA if any(re.search(r"\d\.\d{3}", v) for v in values) else POINT)
    else:
        form = COMMA if only_comma > only_point else POINT
    share = (by_comma if form == COMMA else by_point) / len(values)
    is_neutral = not (only_point or only_comma or both)
    return AmountGuess(form, share, is_open=is_open, is_neutral=is_neutral)


def currencies(con: duckdb.DuckDBPyConnection, values: Sequence[str]) -> Mapping[str, int]:
    """Return the currencies that stand beside amounts, with the number of values of each."""
    sql = f"select {build_currencies('v')} from (select unnest($values) as v)"
    codes = (code for (code,) in con.execute(sql, {"values": list(values)}).fetchall())
    # A pound is hardly ever an Egyptian one; a dollar may be of many countries.
    named = (code.removesuffix(" EGP") for code in codes)
    return Counter(code for code in named if code and " " not in code)
