"""Keeps the numbers of cards out of the lake: such a row is refused, its digits are masked.

Whoever stores a card's number falls under PCI DSS; nothing here needs more than four digits.
A number has 13 to 19 digits (ISO/IEC 7812), and those that are in use pass Luhn's check.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rekindle.facts.sql import literal, quoted

NUMBER = "[0-9]([ .-]?[0-9]){12,18}"
MASKED = "[a number, left out]"
SHOWN = 4


def build_card_problems(columns: Iterable[str]) -> Iterator[str]:
    """Yield the CASE branches that are true of a row with a card's number; none shows it."""
    for name in columns:
        verdict = literal(f"card_number: {name} holds the number of a card, which is kept nowhere")
        column = quoted(name)
        if name == "last_four":
            yield f"when length({_digits(column)}) > {SHOWN} then {verdict}"
            continue
        yield (
            f"when regexp_full_match({column}, {literal(f'[ ]*{NUMBER}[ ]*')}) "
            f"and {_build_luhn(_digits(column))} then {verdict}"
        )


def build_masked(text: str) -> str:
    """Return SQL for a text without what may be the number of a card."""
    return f"regexp_replace({text}, {literal(NUMBER)}, {literal(MASKED)}, 'g')"


def mask(text: str) -> str:
    """Return a text without what may be the number of a card."""
    return re.sub(NUMBER, MASKED, text)


def _digits(column: str) -> str:
    return f"regexp_replace({column}, '[^0-9]', '', 'g')"


def _build_luhn(digits: str) -> str:
    """Return SQL that is true of digits whose sum, each second from the right doubled, ends in 0.

    Twice a digit above 4 counts as the sum of its own digits, which is 9 less.
    """
    places = f"generate_series(1, length({digits}))"
    digit = f"substr(reverse({digits}), place::integer, 1)::integer"
    counted = (
        f"case when place % 2 = 1 then {digit} else 2 * {digit} - "
        f"case when {digit} > 4 then 9 else 0 end end"
    )
    return f"list_sum(list_transform({places}, lambda place: {counted})) % 10 = 0"
