"""Reads ``rekindle.toml`` and the environment into one frozen ``Config``."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, time
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import (
    BaseModel,
    ValidationError,
)

from rekindle.config.channels import config_model
from rekindle.config.model import FORMAT, Config
from rekindle.config.values import shorten
from rekindle.errors import ConfigError, WorkspaceError

FILE_NAME = "rekindle.toml"


def load_config(directory: Path) -> Config:
    """Return the checked configuration of the workspace in ``directory``.

    Raises:
        ConfigError: the file is missing, is no TOML, or holds a key or value that
            is not understood; the message names the place and the nearest key.
        WorkspaceError: a newer version of rekindle wrote it.
    """
    path = directory / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path} does not exist; `rekindle init {directory} --orders FILE` makes one"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    return parse_config(text, name=str(path))


def parse_config(text: str, *, name: str = FILE_NAME) -> Config:
    """Return the checked configuration that ``text`` holds; ``name`` is its file's.

    Raises:
        ConfigError, WorkspaceError: as ``load_config``.
    """
    try:
        raw = tomllib.loads(text)
    except RecursionError as error:
        raise ConfigError(f"{name} is nested too deeply to be read") from error
    except ValueError as error:  # of TOML, or of a number with thousands of digits
        raise ConfigError(f"{name} is not valid TOML{_say_toml(error, text)}") from error
    _check_format(raw, name)
    try:
        return config_model().model_validate(raw)
    except ValidationError as error:
        raise ConfigError(_explain(name, error)) from error


def _check_format(raw: Mapping[str, Any], name: str) -> None:
    """Refuse a newer layout before its unknown keys are taken for mistakes."""
    section = raw.get("workspace")
    found = section.get("format") if isinstance(section, dict) else None
    if isinstance(found, int) and found > FORMAT:
        raise WorkspaceError(
            f"{name} has format {found}, this version of rekindle knows {FORMAT}; "
            "upgrade rekindle to open the workspace"
        )


def load_secrets(names: Iterable[str]) -> Mapping[str, str]:
    """Return secrets by name, "" where one is not set.

    Raises:
        ConfigError: as ``load_secret``.
    """
    return {name: load_secret(name) or "" for name in names}


def load_secret(name: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the secret ``name`` from the environment or the file ``name``_FILE names.

    Raises:
        ConfigError: the named file cannot be read, or one of both is no UTF-8 text.
    """
    if value := environment.get(name):
        try:
            value.encode()
        except UnicodeEncodeError as error:  # bytes that are no text come as half characters
            raise ConfigError(f"{name} is no UTF-8 text; write it in letters and digits") from error
        return value
    if not (file := environment.get(f"{name}_FILE")):
        return None
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name}_FILE names {file}, which is no UTF-8 text") from error
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{name}_FILE names {shorten(file)}, which cannot be read: {error}"
        ) from error


# What the parser of TOML says, and what it means to somebody who edits a setting.
_TOML = (
    ("after a statement", "something stands behind a value; put texts and times in quotes"),
    ("Invalid value", "this is no value; put texts in quotes"),
    ("at the end of a table declaration", "the bracket of a [section] is not closed"),
    ("after a key in a key/value pair", "after a key stand '=' and a value"),
    ("Illegal character", "a quote is not closed on its line"),
    ("Unterminated", "a quote is not closed"),
    ("Unclosed", "a bracket is not closed"),
    ("Cannot declare", "this section stands twice"),
    ("Cannot overwrite", "this key stands twice"),
)
_PLACE = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)")


def _say_toml(error: ValueError, text: str) -> str:
    """Return the end of a message: where, what is wrong, and the line."""
    told = str(error)
    words = next((words for sign, words in _TOML if sign in told), _PLACE.sub("", told).strip())
    place = _PLACE.search(told)
    if place is None or place[1] is None:
        return f": {words}" if place is None else f", at its end: {words}"
    line = text.splitlines()[int(place[1]) - 1].strip()
    shown = "" if _may_hold_a_secret(line) else f": {shorten(line)}"
    return f", line {place[1]}, column {place[2]}: {words}{shown}"


def _may_hold_a_secret(line: str) -> bool:
    return any(word in line for word in PRIVATE)


# What is wrong with a value, by the kind of fault pydantic finds.
_FAULTS = {
    "time_type": "write a local time like '21:00'",
    "time_parsing": "write a local time like '21:00'",
    "date_type": "write a day like '2024-05-31'",
    "date_parsing": "write a day like '2024-05-31'",
    "date_from_datetime_parsing": "write a day like '2024-05-31'",
    "int_type": "write a whole number",
    "int_parsing": "write a whole number",
    "int_from_float": "write a whole number",
    "float_type": "write a number",
    "float_parsing": "write a number",
    "decimal_type": "write an amount like 12.50",
    "decimal_parsing": "write an amount like 12.50",
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "string_type": "write a text in quotes",
    "string_too_long": "write at most {max_length} characters",
    "string_too_short": "write at least {min_length} characters",
    "greater_than": "write more than {gt}",
    "greater_than_equal": "write {ge} or more",
    "less_than": "write less than {lt}",
    "less_than_equal": "write {le} or less",
    "list_type": "write a list in brackets",
    "tuple_type": "write a list in brackets",
    "set_type": "write a list in brackets",
    "frozen_set_type": "write a list in brackets",
    "dict_type": "write a section of keys and values",
    "model_type": "write a section of keys and values",
    "model_attributes_type": "write a section of keys and values",
    "missing": "this is missing; add it",
    "literal_error": "write one of {expected}",
    "enum": "write one of {expected}",
}


def say_fault(problem: Mapping[str, Any]) -> str:
    """Return what is wrong with a value, and what to write."""
    words = _FAULTS.get(problem["type"])
    if words is None:
        return str(problem["msg"]).removeprefix("Value error, ")
    return words.format_map(problem.get("ctx", {}))


def _explain(name: str, error: ValidationError) -> str:
    lines = [f"{name} is not a valid configuration:"]
    for problem in error.errors():
        place = shorten(".".join(str(part) for part in problem["loc"]), 120)[1:].rstrip("'\"")
        text = say_fault(problem)
        text += _given(problem, text)
        if problem["type"] == "extra_forbidden":
            near = get_close_matches(str(problem["loc"][-1]), known_keys(problem["loc"][:-1]), 1)
            text = "unknown key" + (f"; did you mean {near[0]!r}?" if near else "")
        lines.append(f"  {place}: {text}")
    return "\n".join(lines)


# Their values may hold a password.
PRIVATE = frozenset({"url", "warehouse", "database", "query", "username"})


def _given(problem: Mapping[str, Any], told: str) -> str:
    """Return the end of a message that shows the value, where it does not already."""
    value = problem["input"]
    is_plain = isinstance(value, str | int | float | Decimal | date | time)
    if not is_plain or shorten(value) in told or PRIVATE.intersection(problem["loc"]):
        return ""
    return f", not {shorten(value)}"


def known_keys(place: tuple[Any, ...]) -> list[str]:
    """Return the keys that may stand at ``place``, a path into the configuration."""
    model: Any = config_model()
    for part in place:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        if field is None:
            return []
        found = _models_in(field.annotation)
        if not found:
            return []
        model = found[0]
    return list(model.model_fields)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for part in getattr(annotation, "__args__", ()) for m in _models_in(part)]
