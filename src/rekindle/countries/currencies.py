"""The currencies there are: their codes, and how many digits stand behind the mark.

``currencies.txt`` has the codes of ISO 4217, list one, and of list three those that the
histories of shops may still hold: the kuna, the lev and what else was withdrawn since 2008.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files


def check_currency(code: str) -> str:
    """Return an ISO 4217 code; ValueError with the nearest one if it is none."""
    if code in _digits():
        return code
    near = get_close_matches(code.upper(), sorted(_digits()), 1)
    hint = f"did you mean {near[0]!r}?" if near else "write one like 'EUR'"
    raise ValueError(f"{code!r} is no currency of ISO 4217; {hint}")


def list_currencies(digits: int) -> tuple[str, ...]:
    """Return the codes of the currencies with so many digits behind the mark."""
    return tuple(code for code, found in _digits().items() if found == digits)


@cache
def _digits() -> Mapping[str, int]:
    """Return code → digits behind the mark."""
    text = files(__package__).joinpath("currencies.txt").read_text(encoding="utf-8")
    rows = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return {code: int(digits) for digits, *codes in rows for code in codes}
