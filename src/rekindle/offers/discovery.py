"""Finds the kinds of offers: every file of ``kinds/``, and those of installed packages.

A package adds one by an entry point of the group ``rekindle.offers`` that names a subclass
of ``OfferTerms`` whose ``kind`` is a word of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, get_args

from rekindle.config import find_pieces
from rekindle.errors import ConfigError
from rekindle.offers.model import OfferTerms

GROUP = "rekindle.offers"
Kinds = Mapping[str, type[OfferTerms]]


@lru_cache(maxsize=1)
def find_kinds() -> Kinds:
    """Return the kinds there are, by the word a file calls them.

    Raises:
        ConfigError: one of an installed package is no kind, or has a word that is taken.
    """
    found: dict[str, type[OfferTerms]] = {}
    for place, kind in find_pieces("rekindle.offers.kinds", "KIND", GROUP):
        word = _word_of(kind, place)
        if word in found:
            raise ConfigError(f"{place}: there is a kind of offer {word!r} already")
        found[word] = kind
    return found


def _word_of(kind: Any, place: str) -> str:
    is_kind = isinstance(kind, type) and issubclass(kind, OfferTerms)
    words = get_args(kind.model_fields["kind"].annotation) if is_kind else ()
    if len(words) != 1:
        raise ConfigError(f"{place} names no kind of offer: OfferTerms with one word as its kind")
    return str(words[0])
