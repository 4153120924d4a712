"""The page of every setting: key, type, default and meaning.

Types are read from the JSON Schema that editors use, defaults from the model itself,
so a duration appears as people write it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tools.markdown import note, table

PLAIN_TYPES = {
    "array": "list",
    "boolean": "true or false",
    "integer": "whole number",
    "number": "number",
    "object": "table",
    "string": "text",
}
REQUIRED = object()
UNITS = (("week", 604800), ("day", 86400), ("hour", 3600), ("minute", 60))


def settings_page(config_model: Callable[[], type[BaseModel]]) -> str:
    """Return the page of every section and key of the configuration."""
    config = config_model()
    lead = (
        "Everything `rekindle.toml` may say. An unknown key is refused with the nearest "
        "known one.\nSecrets are not settings: they come from the environment, or from a "
        "file named by\n`NAME_FILE`."
    )
    schema = config.model_json_schema()
    return note("Configuration", lead) + "\n".join(_sections(config, schema))


def duration_text(value: timedelta) -> str:
    """Return a duration as it is written in a file: ``16 hours``."""
    seconds = int(value.total_seconds())
    for unit, size in UNITS:
        if seconds % size == 0 and seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'s' if count != 1 else ''}"
    return f"{seconds} seconds"


def _sections(
    model: type[BaseModel],
    schema: Mapping[str, Any],
    *,
    path: str = "",
    given: BaseModel | None = None,
) -> Iterator[str]:
    rows = []
    inner: list[tuple[str, type[BaseModel], BaseModel | None]] = []
    properties = _definition(model, schema)["properties"]
    for key, field in model.model_fields.items():
        value = _default(field) if given is None else getattr(given, key)
        if section := _model_in(field.annotation):
            default = value if isinstance(value, BaseModel) else None
            inner.append((_heading(path, key, field), section, default))
        else:
            rows.append(
                {
                    "key": key,
                    "type": _type_text(properties[key]),
                    "default": _text(value),
                    "meaning": field.description or "",
                }
            )
    if path:
        meaning = (inspect.getdoc(model) or "").replace("``", "`")
        yield f"## `{path}`\n\n{meaning}\n"
    if rows:
        yield table(rows)
    for name, section, default in inner:
        yield from _sections(section, schema, path=name, given=default)


def _heading(path: str, key: str, field: FieldInfo) -> str:
    place = f"{path.strip('[]')}.{key}" if path else key
    origin = getattr(field.annotation, "__origin__", None)
    if origin is tuple:
        return f"[[{place}]]"
    return f"[{place}.NAME]" if origin is dict else f"[{place}]"


def _default(field: FieldInfo) -> object:
    return REQUIRED if field.is_required() else field.get_default(call_default_factory=True)


def _text(value: object) -> str:
    if value is REQUIRED:
        return "required"
    if isinstance(value, timedelta):
        return f"`{duration_text(value)}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`" if value not in (None, "", {}, ()) else "–"


def _definition(model: type[BaseModel], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if schema.get("title") == model.__name__:
        return schema
    found: Mapping[str, Any] = schema["$defs"][model.__name__]
    return found


def _type_text(schema: Mapping[str, Any]) -> str:
    if choices := schema.get("enum"):
        return ", ".join(f"`{choice}`" for choice in choices)
    if options := schema.get("anyOf"):
        return " or ".join(_type_text(o) for o in options if o.get("type") != "null")
    if "week" in schema.get("pattern", ""):
        return "duration"
    kinds = schema.get("type", "string")
    first = kinds if isinstance(kinds, str) else kinds[0]
    if first == "object":
        return f"table of {_type_text(schema.get('additionalProperties', {}))}"
    return PLAIN_TYPES[first] + _range_text(schema)


def _range_text(schema: Mapping[str, Any]) -> str:
    signs = (
        ("exclusiveMinimum", ">"),
        ("minimum", "≥"),
        ("exclusiveMaximum", "<"),
        ("maximum", "≤"),
    )
    bounds = [f"{sign} {schema[key]:g}" for key, sign in signs if key in schema]
    return f" ({', '.join(bounds)})" if bounds else ""


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(part) for part in getattr(annotation, "__args__", ()))
    return next((model for model in found if model), None)
