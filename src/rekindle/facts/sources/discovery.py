"""Finds kinds of files and presets: every file here that is one, and those from outside.

An installed package adds a kind of file by an entry point of the group
``rekindle.sources`` that names a ``Format``, and an export that is told by its header by
one of the group ``rekindle.presets`` that names a ``SourcePreset``.
"""

from __future__ import annotations

import pkgutil
import tomllib
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

from rekindle.config import load_extensions
from rekindle.errors import ConfigError
from rekindle.facts.contracts import CONTRACTS
from rekindle.facts.sources.presets.model import SourcePreset
from rekindle.facts.sources.raw import Format

GROUP = "rekindle.sources"
PRESETS = "rekindle.presets"
TOLD_BY = {"subscriptions": "invoice_lines"}
"""Table → the one from which its rows follow where a system has none of its own."""


@cache
def discover() -> Mapping[str, Format]:
    """Return the kinds of files by ending.

    Raises:
        ConfigError: an entry point cannot be loaded, names no format, or an ending that is taken.
    """
    found = {ending: form for form in _own() for ending in form.endings}
    for point, form in load_extensions(GROUP):
        if not isinstance(form, Format):
            raise ConfigError(f"the entry point {point.value} ({GROUP}) names no Format")
        for ending in form.endings:
            if ending in found:
                raise ConfigError(f"{point.value} ({GROUP}): the ending {ending} is taken")
            found[ending] = form
    return found


def _own() -> Iterator[Format]:
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        found = getattr(import_module(f"{__package__}.{module.name}"), "FORMAT", None)
        if isinstance(found, Format):
            yield found


@cache
def discover_presets() -> tuple[SourcePreset, ...]:
    """Return the presets by name.

    Raises:
        ConfigError: an entry point cannot be loaded, or names no preset.
    """
    found = list(_own_presets())
    for point, preset in load_extensions(PRESETS):
        if not isinstance(preset, SourcePreset):
            raise ConfigError(f"the entry point {point.value} ({PRESETS}) names no SourcePreset")
        found.append(preset)
    return tuple(sorted(found, key=lambda preset: preset.name))


def find_preset(header: Collection[str], table: str | None = None) -> SourcePreset | None:
    """Return the preset a file of these columns fits, the one that asks for most of them.

    A file is taken for a table that not every business has only where ``table`` names it:
    one export may be of sales to a shop, and of attempts to somebody who sells subscriptions.
    Where ``table`` is told by another one in some systems, a file of that is taken, too.
    """
    named = table is not None and table in CONTRACTS and CONTRACTS[table].is_optional
    asked = (table, TOLD_BY.get(table or ""))
    fitting = [
        preset
        for preset in discover_presets()
        if (preset.table in asked if named else not is_by_name(preset)) and preset.fits(header)
    ]
    return max(fitting, key=lambda preset: len(preset.header), default=None)


def is_by_name(preset: SourcePreset) -> bool:
    """Return whether it is looked at only where somebody names its table."""
    return preset.table in CONTRACTS and CONTRACTS[preset.table].is_optional


def _own_presets() -> Iterator[SourcePreset]:
    for path in sorted((Path(__file__).parent / "presets").glob("*/*.toml")):
        yield read_preset(path)


def read_preset(path: Path) -> SourcePreset:
    """Return the preset that a file of data describes; ``states`` are a source's own.

    Raises:
        ConfigError: the file lacks a key, or has one that no preset has.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        states = {"states": data.pop("states")} if "states" in data else {}
        return SourcePreset(
            name=data.pop("name"),
            table=data.pop("table"),
            header=tuple(data.pop("header")),
            without=tuple(data.pop("without", ())),
            notes=tuple(data.pop("notes", ())),
            settings={**data.pop("settings", {}), **states},
            columns={
                name: words if isinstance(words, str) else tuple(words)
                for name, words in data.pop("columns").items()
            },
            **data,
        )
    except (KeyError, TypeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} is no preset: {error}") from error
