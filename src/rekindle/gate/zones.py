"""Where a person may be: the time zones that their record allows.

A country with several zones gives all of them, so that a message leaves only when it is
day wherever the person could live. Reads the packaged time zone tables, once.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from itertools import chain, pairwise
from zoneinfo import ZoneInfo

from rekindle.countries import country_code, iso_table
from rekindle.gate.local_time import offset_at, offset_change

# Zones that agree here are one: 2020-01-01 to 2040-01-01 in epoch seconds, looked at
# weekly, since no zone changes twice within a week of these years.
AGREEMENT = range(1_577_836_800, 2_208_988_800, 7 * 86_400)

# The first zone decides where a country's days have no hour in common. The tables list
# zones from east to west; these are the countries whose most populous one is not first.
MOST_POPULOUS = {
    "AU": "Australia/Sydney",
    "BR": "America/Sao_Paulo",
    "CA": "America/Toronto",
    "RU": "Europe/Moscow",
    "UA": "Europe/Kyiv",
}
NOWHERE = "Factory"  # the tables' own name for a zone nobody has set
NUMBER = re.compile(r"(?:tel:)?\s*(?:\+|00)([\d\s()./\u2010-\u2015-]+)")
DIGITS = range(7, 16)  # E.164: at most 15 with the country code
LONGEST = 100  # characters; longer than any name or number

Zones = tuple[ZoneInfo, ...]


def resolve_zones(
    timezone: str | None, country: str | None, phone: str | None, default: str
) -> Zones:
    """Return the zones a person may live in, at least one, most populous first.

    ``timezone`` is an IANA name, ``country`` an ISO 3166-1 code or a name, ``phone`` a
    number in international form; the first that can be read decides, then ``default``,
    an IANA name, and in the end UTC. What cannot be read counts as not given.
    """
    return (
        (timezone and _of_name(timezone))
        or (country and _of_country(country))
        or (phone and _of_phone(phone))
        or _of_name(default)
        or _of_name("UTC")
    )


def resolve_places(country: str | None, phone: str | None, *, by_phone: bool) -> tuple[str, ...]:
    """Return where a person may live, as the law asks it: codes of ISO 3166, none if unknown.

    It is their country, with the state where that is known (``place_code``), or else that of
    their phone. Where they are reached ``by_phone`` and it is of another country, both.
    """
    code = country_code(country)
    if country is None or code is None:
        return _regions_of(phone) if phone else ()
    if not (phone and by_phone):
        return (country,)
    return (country, *(one for one in _regions_of(phone) if one != code))


@lru_cache(maxsize=4096)
def _of_name(name: str) -> Zones:
    caseless = name[:LONGEST].strip().replace(" ", "_").casefold()
    known = _names().get(caseless)
    return (ZoneInfo(known),) if known else ()


@lru_cache(maxsize=4096)
def _of_country(country: str) -> Zones:
    code = country_code(country)
    return _of_regions((code,)) if code else ()


@lru_cache(maxsize=65_536)
def _of_phone(phone: str) -> Zones:
    """Return the zones of the number's country, of all that share its code if unclear."""
    return _of_regions(_regions_of(phone))


@lru_cache(maxsize=512)
def _of_regions(regions: tuple[str, ...]) -> Zones:
    names = [name for region in regions for name in _zone_names().get(region, ())]
    return tuple(_distinct(ZoneInfo(name) for name in names))


def _distinct(zones: Iterable[ZoneInfo]) -> Iterator[ZoneInfo]:
    """Yield the first zone of each behaviour."""
    seen = set()
    for zone in zones:
        if (behaviour := _behaviour(zone)) not in seen:
            seen.add(behaviour)
            yield zone


@cache
def _behaviour(zone: ZoneInfo) -> tuple[int, ...]:
    """Return the first offset, then each change of it: when and to what."""
    offsets = [(second, offset_at(zone, second)) for second in AGREEMENT]
    changes = (
        (offset_change(zone, earlier, later), after)
        for (earlier, before), (later, after) in pairwise(offsets)
        if before != after
    )
    return (offsets[0][1], *chain.from_iterable(changes))


@lru_cache(maxsize=65_536)
def _regions_of(phone: str) -> tuple[str, ...]:
    """Return the number's country, or all that share its code if that is unclear."""
    digits = _international(phone)
    regions = _regions(digits) if digits else ()
    return _narrowed(digits, regions) if len(regions) > 1 else regions


def _international(phone: str) -> str:
    """Return the digits of a number in international form, country code first, or ""."""
    plain = unicodedata.normalize("NFKC", phone[:LONGEST]).replace("(0)", "")
    match = NUMBER.match(plain.strip())
    digits = re.sub(r"\D", "", match[1]) if match else ""
    return digits if len(digits) in DIGITS else ""


def _regions(digits: str) -> tuple[str, ...]:
    """Return the regions of the country code that ``digits`` begin with."""
    import phonenumbers

    table = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    return next((table[code] for n in (1, 2, 3) if (code := int(digits[:n])) in table), ())


def _narrowed(digits: str, regions: tuple[str, ...]) -> tuple[str, ...]:
    """Return the one region that the number is valid in, or all that share its code."""
    import phonenumbers

    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return regions
    region = phonenumbers.region_code_for_number(number)
    return (region,) if region else regions


@cache
def _names() -> Mapping[str, str]:
    """Return every IANA name by its caseless form."""
    names = files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return {name.casefold(): name for name in names if name != NOWHERE}


@cache
def _zone_names() -> Mapping[str, tuple[str, ...]]:
    """Return the zone names of each country, most populous first."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for code, _, name, *_ in iso_table("zone.tab"):
        found[code].append(name)
    return {
        code: tuple(sorted(names, key=lambda name: name != MOST_POPULOUS.get(code)))
        for code, names in found.items()
    }
