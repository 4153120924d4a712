"""What a code is, and codes as a shop exports them, read from a file."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from io import StringIO

from rekindle.config import shorten
from rekindle.errors import OfferError
from rekindle.offers.model import LONGEST_CODE

BETWEEN = ",;|"
"""What stands between several codes of one order; a code that held one would be no order's."""

HEADERS = frozenset({"code", "codes", "coupon", "coupon code", "discount code", "gutscheincode"})


def read_codes(text: str, *, file: str) -> list[str]:
    """Return the codes of a file: one a line, or the column ``code`` (else the first) of a CSV.

    Raises:
        OfferError: there are none, one is no code, or one stands twice (large and small letters
            are the same to a shop).
    """
    seen: dict[str, int] = {}
    codes = []
    for line, code in _cells(text, file):
        if not code:
            continue
        if not is_code(code):
            raise OfferError(f"{file}, line {line}: {shorten(code)} is no code")
        if (earlier := seen.setdefault(key_of(code), line)) != line:
            raise OfferError(f"{file}, line {line}: the code of line {earlier} stands here again")
        codes.append(code)
    if not codes:
        raise OfferError(f"{file} holds no code; write one a line")
    return codes


def is_code(text: str) -> bool:
    """Return whether a shop can take it for a code: no blank or control character, no list."""
    is_short = 0 < len(text) <= LONGEST_CODE
    return is_short and text.isprintable() and not any(sign in text for sign in f" {BETWEEN}")


def codes_of(cell: str) -> list[str]:
    """Return the keys of the codes that an order says."""
    return [key_of(part) for part in re.split(f"[{re.escape(BETWEEN)}]", cell)]


def key_of(code: str) -> str:
    """Return what makes a code the same as another: shops do not tell large letters from small."""
    return code.strip().casefold()


def _cells(text: str, file: str) -> Iterator[tuple[int, str]]:
    """Yield the line number and the code of each row."""
    lines = text.removeprefix("\ufeff").splitlines()
    head = lines[0] if lines else ""
    delimiter = next((sign for sign in (";", "\t", ",") if sign in head), ",")
    place = 0
    for number, row in enumerate(_rows(lines, delimiter, file), 1):
        cells = [cell.strip() for cell in row]
        if number == 1 and any(cell.casefold() in HEADERS for cell in cells):
            place = next(n for n, cell in enumerate(cells) if cell.casefold() in HEADERS)
            continue
        yield number, cells[place] if place < len(cells) else ""


def _rows(lines: list[str], delimiter: str, file: str) -> Iterator[list[str]]:
    rows = csv.reader(StringIO("\n".join(lines)), delimiter=delimiter)
    try:
        yield from rows
    except csv.Error as error:
        raise OfferError(f"{file}, line {rows.line_num}: {error}") from error
