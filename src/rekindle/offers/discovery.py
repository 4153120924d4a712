"""Finds the kinds of offers: every file of ``kinds/``, and those of installed packages.

A package adds one by an entry point of the group ``rekindle.offers`` that names a subclass
of ``OfferTerms`` whose ``kind`` is a word of its own.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

from rekindle.config import load_extensions
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
    for place, kind in (*_own(), *_from_outside()):
        word = _word_of(kind, place)
        if word in found:
            raise ConfigError(f"{place}: there is a kind of offer {word!r} already")
        found[word] = kind
    return found


def _own() -> Iterator[tuple[str, Any]]:
    folder = Path(__file__).parent / "kinds"
    for module in sorted(pkgutil.iter_modules([str(folder)]), key=lambda one: one.name):
        place = f"rekindle.offers.kinds.{module.name}"
        yield place, import_module(place).KIND


def _from_outside() -> Iterator[tuple[str, Any]]:
    for point, kind in load_extensions(GROUP):
        yield f"{point.value} ({GROUP})", kind


def _word_of(kind: Any, place: str) -> str:
    is_kind = isinstance(kind, type) and issubclass(kind, OfferTerms)
    words = get_args(kind.model_fields["kind"].annotation) if is_kind else ()
    if len(words) != 1:
        raise ConfigError(f"{place} names no kind of offer: OfferTerms with one word as its kind")
    return str(words[0])
