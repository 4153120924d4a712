"""Takes addresses out of what providers say, before it is kept or logged."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rekindle.identity import former_spellings, international, normalise_address

HIDDEN = "…"
FEWEST_DIGITS = 6

_NUMBER = re.compile(r"[\d\s()+./-]+")
_NO_DIGIT = re.compile(r"\D")
_GROUPING = r"[\s()./-]*"
_GROUPED = re.compile(_GROUPING)


def hide_address(text: str, address: str) -> str:
    """Return a text without an address, in whatever spelling a provider repeats it."""
    if not address or not text:
        return text
    if "@" in address and "@" not in text:
        return text  # nearly always: a provider says what it calls a message, and no address
    spellings = {address, normalise_address(address), *former_spellings(address)}
    spellings.add(international(address))
    return hide_words(text, (spelling for spelling in spellings if spelling))


def hide_words(text: str, words: Iterable[str]) -> str:
    """Return a text without these words, whole ones and in any case.

    A number is found however its digits are grouped.
    """
    for word in words:
        digits = _digits(word)
        if _may_hold(text, word, digits):
            text = re.sub(_pattern(word, digits), HIDDEN, text, flags=re.IGNORECASE)
    return text


def _digits(word: str) -> str:
    """Return the digits of a number that is long enough to be looked for as one."""
    digits = _NO_DIGIT.sub("", word) if _NUMBER.fullmatch(word) else ""
    return digits if len(digits) >= FEWEST_DIGITS else ""


def _may_hold(text: str, word: str, digits: str) -> bool:
    """Return False where the pattern cannot be found.

    A provider says a word on every message and hardly ever the address, and to compile a
    pattern of its own for each costs more than to hand the message over.
    """
    if digits:
        return digits in _GROUPED.sub("", text)
    # Beyond ASCII a letter may have more than two forms; the pattern knows them all.
    return not (text.isascii() and word.isascii()) or word.lower() in text.lower()


def _pattern(word: str, digits: str) -> str:
    if digits:
        return r"\+?" + _GROUPING.join(digits)
    # Not in the middle of a word; an underscore ends one, as in the names of events.
    return rf"(?<![^\W_]){re.escape(word)}(?![^\W_])"
