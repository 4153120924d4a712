"""Nothing an operator may write in a setting ends in anything but a message or a bound value.

The fields are walked, not listed: a new setting without a bound is found here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from rekindle.config import Config, parse_config
from rekindle.errors import ConfigError, WorkspaceError
from rekindle.gate import build_book_rules, build_rules

HOSTILE = {
    "the largest number": "1e308",
    "infinity": "inf",
    "less than nothing": "-inf",
    "no number": "nan",
    "nearly nothing": "5e-324",
    "a whole number beyond 64 bits": "99999999999999999999999999",
    "a whole number below 64 bits": "-99999999999999999999999999",
    "nought": "0",
    "no number as text": '"NaN"',
    "a number as text": '"1e14"',
    "a NUL": '"a\\u0000b"',
    "a line break": '"a\\nb"',
    "an escape": '"\\u001b[31m"',
    "a long text": f'"{"a" * 200_001}"',
    "nothing": '""',
    "a long duration": '"2000000 days"',
    "a duration of many digits": f'"{"9" * 5000} weeks"',
    "a superscript": '"² days"',
    "no duration": '"0 days"',
    "the first day": "0001-01-01",
    "the last day": "9999-12-31",
    "the first day as text": '"0001-01-01"',
    "every day": '"0001-01-01..9999-12-31"',
    "a time with a zone": '"21:00+05:00"',
    "an instant": "9999-12-31T23:59:59Z",
    "an address": '"http://["',
    "a port": '"127.0.0.1:99999999999"',
    "a folder of zones": '"America"',
    "a way out": '"../../etc/passwd"',
    "a list": "[[[]]]",
    "a table": "{a = {b = 1}}",
    "a list of texts": '["9999-12-31", "\\u0000"]',
    "true": "true",
}
"""What is written for every setting in turn, by what it is."""


def models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    parts = getattr(annotation, "__args__", ())
    return [found for part in parts for found in models(part)]


def fields(model: type[BaseModel], before: str = "") -> Iterator[tuple[str, bool]]:
    """Yield the dotted place of every single setting, and whether it stands in a list."""
    for name, field in model.model_fields.items():
        inner = models(field.annotation)
        if not inner:
            yield f"{before}{name}", False
        for one in inner:
            is_list = str(field.annotation).startswith("tuple")
            for place, _ in fields(one, f"{before}{name}."):
                yield place, is_list


PLACES = sorted(dict(fields(Config)))
NEEDED = {
    "budgets": {"per_month": "1"},
    "worth": {"margin": "1"},
    "sources": {"name": '"shop"', "table": '"orders"'},
    "targets": {"measure": '"entered"', "value": "1", "by": "2027-06-30"},
    "caps": {"max": "1", "per": '"1 day"'},
    "days": {"at_risk": "1", "lapsed": "2", "dormant": "3", "gone": "4"},
    "warm_up": {"first_day": "2026-11-01"},
}


LISTS = ("budgets", "worth", "sources", "targets")


def written(place: str, value: str) -> str:
    """Return the file that says ``value`` at ``place``, and beside it what has to be there."""
    *path, last = place.split(".")
    if path[:1] == ["lifecycle"] and path[1:] == ["days"]:
        path.append("shoes")
    needed = next((NEEDED[name] for name in ("days", *path) if name in path and name in NEEDED), {})
    if path[0] == "caps" and len(path) == 1:
        needed = {}
    lines = [f"{key} = {given}" for key, given in (dict(needed) | {last: value}).items()]
    head = f"[[{path[0]}]]" if path[0] in LISTS else f"[{'.'.join(path)}]"
    return "\n".join([head, *lines])


def refusal_of(text: str) -> str | None:
    """Return why a file is refused; one that is not is one that rules can be built of."""
    try:
        config = parse_config(text)
    except (ConfigError, WorkspaceError) as refusal:
        return str(refusal)
    build_rules(config)
    build_book_rules(config)
    return None


@pytest.mark.draws(60)
@pytest.mark.parametrize("place", PLACES)
def test_hostile_setting_is_refused_with_its_place_or_can_be_reckoned_with(place: str) -> None:
    *_, last = place.split(".")
    for what, value in HOSTILE.items():
        said = refusal_of(written(place, value))
        assert said is None or last in said, what
        assert len(said or "") < 1000, what
        assert all(one.isprintable() or one == "\n" for one in said or ""), what


@pytest.mark.draws(60)
@pytest.mark.parametrize("place", PLACES)
def test_every_number_and_text_has_a_bound(place: str) -> None:
    found = list(unbound(schema_at(place)))
    assert not found


def schema_at(place: str) -> dict[str, Any]:
    schema = Config.model_json_schema()
    found = schema
    for name in place.split("."):
        found = next(one for one in branches(found, schema) if name in one.get("properties", {}))
        found = found["properties"][name]
    return {**found, "$defs": schema["$defs"]}


def branches(found: dict[str, Any], schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every form a value may have: behind references, alternatives, lists and tables."""
    if "$ref" in found:
        found = schema["$defs"][found["$ref"].rpartition("/")[2]]
    yield found
    alternatives = (*found.get("anyOf", ()), *found.get("allOf", ()))
    inside = [found[key] for key in ("items", "additionalProperties") if found.get(key)]
    for one in (*alternatives, *inside):
        if isinstance(one, dict):
            yield from branches(one, schema)


def unbound(found: dict[str, Any]) -> Iterator[str]:
    for one in branches(found, found):
        kinds = one.get("type", "")
        if {"number", "integer"} & set([kinds] if isinstance(kinds, str) else kinds):
            tops = [one.get(key, math.inf) for key in ("maximum", "exclusiveMaximum")]
            if min(tops) > 1e9:
                yield "number"
        is_free = one.get("type") == "string" and not {"enum", "const", "format"} & one.keys()
        if is_free and "maxLength" not in one:
            yield "text"


def test_file_that_is_no_table_of_settings_is_refused() -> None:
    for text in (
        "x = " + "[" * 100_000,
        "x = " + "9" * 10_000,
        "\x00",
        "[workspace]\nname = '\x1b'",
    ):
        with pytest.raises(ConfigError):
            parse_config(text)
