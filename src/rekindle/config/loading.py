"""Reads ``rekindle.toml`` and the environment into one frozen ``Config``."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
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
        raise ConfigError(f"{name} is not valid TOML: {error}") from error
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


def _explain(name: str, error: ValidationError) -> str:
    lines = [f"{name} is not a valid configuration:"]
    for problem in error.errors():
        place = shorten(".".join(str(part) for part in problem["loc"]), 120)[1:].rstrip("'\"")
        text = problem["msg"].removeprefix("Value error, ") + _given(problem)
        if problem["type"] == "extra_forbidden":
            near = get_close_matches(str(problem["loc"][-1]), known_keys(problem["loc"][:-1]), 1)
            text = "unknown key" + (f"; did you mean {near[0]!r}?" if near else "")
        lines.append(f"  {place}: {text}")
    return "\n".join(lines)


# Their values may hold a password.
PRIVATE = frozenset({"url", "warehouse", "database", "query", "username"})


def _given(problem: Mapping[str, Any]) -> str:
    """Return the end of a message that shows the value, where it does not already."""
    value = problem["input"]
    is_plain = isinstance(value, str | int | float | Decimal | date | time)
    if not is_plain or shorten(value) in problem["msg"] or PRIVATE.intersection(problem["loc"]):
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
