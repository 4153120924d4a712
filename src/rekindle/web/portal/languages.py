"""Which language somebody is shown: their browser's, their country's, or English.

Texts stand in a file a language (``texts``); a test holds them to the same names and places.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path

from rekindle.countries import country_code

FOLDER = Path(__file__).parent / "texts"
DEFAULT = "en"
LONGEST_HEADER = 500
# The countries whose people read one of these first, where their browser does not say.
COUNTRIES = {
    **dict.fromkeys(("DE", "AT", "LI", "CH"), "de"),
    **dict.fromkeys(("FR", "MC", "BE", "SN", "CI"), "fr"),
    **dict.fromkeys(
        ("ES", "MX", "AR", "CO", "CL", "PE", "EC", "VE", "UY", "PY", "BO", "CR", "PA", "GT", "HN",
         "SV", "NI", "DO", "CU"), "es"),
}  # fmt: skip

Texts = Mapping[str, str]


@cache
def load_texts() -> Mapping[str, Texts]:
    """Return what the pages say, by language."""
    return {
        path.stem: tomllib.loads(path.read_text(encoding="utf-8"))
        for path in sorted(FOLDER.glob("*.toml"))
    }


def choose_language(accepted: str, country: str | None) -> str:
    """Return the language of a page: of those a browser accepts the best one there is.

    ``accepted`` is the header Accept-Language (RFC 9110 section 12.5.4), "" for none.
    """
    known = load_texts()
    wanted: list[tuple[float, int, str]] = []
    for place, part in enumerate(accepted[:LONGEST_HEADER].split(",")):
        name, _, quality = part.partition(";")
        try:
            weight = float(quality.strip().removeprefix("q=")) if quality.strip() else 1.0
        except ValueError:
            continue
        wanted.append((-weight, place, name.strip().lower().partition("-")[0]))
    for weight, _, language in sorted(wanted):
        if weight < 0 and language in known:
            return language
    return COUNTRIES.get(country_code(country) or "", DEFAULT)


def say(texts: Texts, name: str, **places: object) -> str:
    """Return a text with its places filled in."""
    return texts[name].format(**places)


def name_channel(texts: Texts, channel: str) -> str:
    """Return what a channel is called in a language; its own name if it has no other."""
    return texts.get(f"channel_{channel}", channel.replace("_", " "))


def say_day(texts: Texts, day: date) -> str:
    """Return a day as a language writes it, like 16 November 2026."""
    return say(
        texts,
        "day_order",
        day=texts["day_first"] if day.day == 1 else day.day,
        month=texts["day_months"].split()[day.month - 1],
        year=day.year,
    )
