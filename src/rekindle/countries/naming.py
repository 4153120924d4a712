"""Finds the country that a code or a name means, however it is written.

The codes and English names are those of ISO 3166-1 as the time zone database lists them
(``iso3166.tab``); ``names.txt`` adds the alpha-3 codes, the names in the country's own
languages and what else exports write, ``regions.txt`` the states that have laws of their own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files

LONGEST = 100  # characters; longer than any name


@lru_cache(maxsize=4096)
def country_code(text: str | None) -> str | None:
    """Return the ISO 3166-1 alpha-2 code of a code or name, or None if it names no country.

    Case, accents, punctuation, "the", and "and" or "&" make no difference. Of a place with its
    state (``US-TX``) it is the country.
    """
    if not text:
        return None
    if text in _regions().values():
        return text[:2]
    return _codes().get(_simplified(text[:LONGEST]))


@lru_cache(maxsize=4096)
def place_code(country: str | None, region: str | None = None) -> str | None:
    """Return where somebody lives: ``US-TX`` (ISO 3166-2) where the state is known, else ``US``.

    ``region`` is the state as people and exports write it: ``TX``, ``US-TX``, ``Texas``. It is
    known of countries whose states have laws of their own (``regions.txt``); what names no state
    there is left out. None where the country is unknown.
    """
    code = country_code(country)
    if code is None or not region:
        return country if country in _regions().values() else code
    told = _simplified(region[:LONGEST])
    known = _regions()
    return known.get((code, told)) or known.get((code, told.removeprefix(code.lower())), code)


def iso_table(table: str) -> list[list[str]]:
    """Return the rows of a table of the packaged time zone database, its columns apart."""
    text = files("tzdata").joinpath("zoneinfo", table).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if not line.startswith("#")]


@cache
def _codes() -> Mapping[str, str]:
    codes = {}
    for code, name in iso_table("iso3166.tab"):
        codes[_simplified(code)] = codes[_simplified(name)] = code
    text = files(__package__).joinpath("names.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if not line.startswith("#"):
            code, *names = line.split("; ")
            codes.update((_simplified(name), code) for name in names)
    return codes


@cache
def _regions() -> Mapping[tuple[str, str], str]:
    """Return the place of each state, by its country and a simplified name of it."""
    found: dict[tuple[str, str], str] = {}
    text = files(__package__).joinpath("regions.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if not line.startswith("#"):
            place, *names = line.split("; ")
            country, code = place.split("-")
            found |= {(country, _simplified(name)): place for name in (code, *names)}
    return found


def _simplified(name: str) -> str:
    """Return a country's name or code without what people write differently."""
    plain = unicodedata.normalize("NFKD", name).casefold().replace("&", " and ")
    words = re.sub(r"[^\w\s]|_", "", "".join(c for c in plain if not unicodedata.combining(c)))
    told = [word for word in words.split() if word not in ("the", "and")]
    return "".join(told) or words.strip()  # "AND" alone is Andorra
