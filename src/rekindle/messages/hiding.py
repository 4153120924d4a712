"""Takes addresses out of what providers say, before it is kept or logged."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rekindle.identity import former_spellings, normalise_address

HIDDEN = "…"
FEWEST_DIGITS = 6


def hide_address(text: str, address: str) -> str:
    """Return a text without an address, in whatever spelling a provider repeats it."""
    if not address or not text:
        return text
    spellings = {address, normalise_address(address), *former_spellings(address)}
    return hide_words(text, (spelling for spelling in spellings if spelling))


def hide_words(text: str, words: Iterable[str]) -> str:
    """Return a text without these words, whole ones and in any case.

    A number is found however its digits are grouped.
    """
    for word in words:
        text = re.sub(_pattern(word), HIDDEN, text, flags=re.IGNORECASE)
    return text


def _pattern(word: str) -> str:
    digits = re.sub(r"\D", "", word)
    if len(digits) >= FEWEST_DIGITS and re.fullmatch(r"[\d\s()+./-]+", word):
        return r"\+?" + r"[\s()./-]*".join(digits)
    # Not in the middle of a word; an underscore ends one, as in the names of events.
    return rf"(?<![^\W_]){re.escape(word)}(?![^\W_])"
