"""Codes as a shop exports them, read from a file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO

from rekindle.config import shorten
from rekindle.errors import OfferError
from rekindle.offers.model import LONGEST_CODE

HEADERS = frozenset({"code", "codes", "coupon", "coupon code", "discount code", "gutscheincode"})


def read_codes(text: str, *, file: str) -> list[str]:
    """Return the codes of a file: one a line, or the column ``code`` (else the first) of a CSV.

    Raises:
        OfferError: there are none, one is too long or holds a space or a control character,
            or one stands twice (large and small letters are the same to a shop).
    """
    seen: dict[str, int] = {}
    codes = []
    for line, code in _cells(text):
        if not code:
            continue
        if len(code) > LONGEST_CODE or not code.isprintable() or " " in code:
            raise OfferError(f"{file}, line {line}: {shorten(code)} is no code")
        if (earlier := seen.setdefault(key_of(code), line)) != line:
            raise OfferError(f"{file}, line {line}: the code of line {earlier} stands here again")
        codes.append(code)
    if not codes:
        raise OfferError(f"{file} holds no code; write one a line")
    return codes


def key_of(code: str) -> str:
    """Return what makes a code the same as another: shops do not tell large letters from small."""
    return code.strip().casefold()


def _cells(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line number and the code of each row."""
    lines = text.removeprefix("\ufeff").splitlines()
    head = lines[0] if lines else ""
    delimiter = next((sign for sign in (";", "\t", ",") if sign in head), ",")
    rows = csv.reader(StringIO("\n".join(lines)), delimiter=delimiter)
    place = 0
    for number, row in enumerate(rows, 1):
        cells = [cell.strip() for cell in row]
        if number == 1 and any(cell.casefold() in HEADERS for cell in cells):
            place = next(n for n, cell in enumerate(cells) if cell.casefold() in HEADERS)
            continue
        yield number, cells[place] if place < len(cells) else ""
