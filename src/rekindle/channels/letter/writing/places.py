"""Postal addresses: read from the card, and written as they stand on an envelope.

The order of the last lines is the one that the posts of those countries ask for
(https://www.upu.int/en/postal-solutions/programmes-services/addressing-solutions).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

from rekindle.countries import country_code, iso_table
from rekindle.errors import MalformedAddressError
from rekindle.messages import Address, find_problem

# What fits into the window of an envelope; a name that is longer ends there.
LONGEST_LINE = 50
# After the city: its state and postcode on the same line, or the postcode on the next.
STATE_FIRST = frozenset({"US", "CA", "AU", "NZ", "PR", "IN", "MX", "BR"})
POSTCODE_LAST = frozenset({"GB", "IE", "IM", "JE", "GG", "GI", "ZA", "HK", "SG", "KE", "NG"})
# Where the table of countries says more, or less, than an envelope does.
NAMES = {
    "AS": "American Samoa",
    "CD": "Democratic Republic of the Congo",
    "CG": "Republic of the Congo",
    "GB": "United Kingdom",
    "KP": "North Korea",
    "KR": "South Korea",
    "MF": "Saint Martin (French part)",
    "SX": "Sint Maarten",
    "VG": "British Virgin Islands",
    "VI": "US Virgin Islands",
}


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """Where a letter goes. Everything but the street and the city may be empty."""

    street: str
    city: str
    postal_code: str = ""
    state: str = ""
    country: str = ""


def read_place(address: Address) -> PostalAddress:
    """Return the postal address of a message.

    Raises:
        MalformedAddressError: there is none, or it is one to which no letter can go.
    """
    if problem := find_problem(address):
        raise MalformedAddressError(problem)
    try:
        told = json.loads(address.value)
        given = {name: _line(told.get(name)) for name in PostalAddress.__slots__}
    except (ValueError, AttributeError, RecursionError) as error:
        raise MalformedAddressError("what the card holds is no postal address") from error
    place = PostalAddress(**{**given, "country": country_code(given["country"]) or ""})
    if not place.street or not place.city:
        raise MalformedAddressError("the postal address names no street or no city")
    if any(len(line) > LONGEST_LINE for line in _place_lines(place)):
        raise MalformedAddressError("a line of the postal address does not fit on an envelope")
    return place


def envelope_lines(name: str, place: PostalAddress, *, posted_in: str) -> list[str]:
    """Return what stands on an envelope; the country alone where it is another one."""
    lines = [_line(name)[:LONGEST_LINE].strip(), *_place_lines(place)]
    if place.country and place.country != posted_in:
        lines.append(_names()[place.country].upper())
    return [line for line in lines if line]


def _place_lines(place: PostalAddress) -> list[str]:
    city, state, code = place.city, place.state, place.postal_code
    if place.country in STATE_FIRST:
        return [place.street, " ".join(filter(None, (f"{city}," if state else city, state, code)))]
    if place.country in POSTCODE_LAST:
        return [place.street, city, code]
    return [place.street, f"{code} {city}".strip()]


@cache
def _names() -> dict[str, str]:
    """Return the countries by code, without what the table adds in brackets."""
    names = {code: name.partition(" (")[0] for code, name, *_ in iso_table("iso3166.tab")}
    return names | NAMES


def _line(given: object) -> str:
    return " ".join(given.split()) if isinstance(given, str) else ""
