"""Finds the engines: every file of this folder that has one, and those from outside.

An installed package adds an engine by an entry point of the group ``rekindle.engines``
that names an ``EngineEntry``.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

from rekindle.config import load_extensions
from rekindle.errors import ConfigError
from rekindle.facts.engines.engine import Engine
from rekindle.facts.engines.model import EngineEntry, FactsPlace

GROUP = "rekindle.engines"
DEFAULT, DEFAULT_OF_WAREHOUSES = "duckdb", "warehouse"


@cache
def discover() -> Mapping[str, EngineEntry]:
    """Return the engines by name.

    Raises:
        ConfigError: an entry point names no engine, or a name that is taken.
    """
    found = {entry.name: entry for entry in _own()}
    for point, entry in load_extensions(GROUP):
        if not isinstance(entry, EngineEntry):
            raise ConfigError(f"the entry point {point.value} ({GROUP}) names no Entry")
        if entry.name in found:
            raise ConfigError(f"{point.value} ({GROUP}): the engine {entry.name} is taken")
        found[entry.name] = entry
    return found


def open_engine(place: FactsPlace, name: str | None = None) -> Engine:
    """Return the engine called ``name`` over the facts; None chooses by where they are.

    Raises:
        ConfigError: there is no such engine, or it does not read what it is to read.
        LakeError: the facts cannot be reached or read.
    """
    entry = _choose(place, name)
    of_warehouse = place.warehouse is not None
    can = entry.capabilities
    if not (can.reads_warehouse if of_warehouse else can.reads_lake):
        what = "a warehouse" if of_warehouse else "the lake"
        raise ConfigError(
            f"[facts] engine = {entry.name!r} does not read {what}; name another, or none for the "
            "one that fits"
        )
    return entry.open(place)


def _choose(place: FactsPlace, name: str | None) -> EngineEntry:
    known = discover()
    if name is not None:
        if name not in known:
            raise ConfigError(f"[facts] engine = {name!r} is not known: {', '.join(known)}")
        return known[name]
    if place.warehouse is None:
        return known[DEFAULT]
    scheme = place.warehouse.partition("://")[0]
    fitting = [entry for entry in known.values() if scheme in entry.schemes]
    return fitting[0] if fitting else known[DEFAULT_OF_WAREHOUSES]


def _own() -> Iterator[EngineEntry]:
    for module in sorted(pkgutil.iter_modules([str(Path(__file__).parent)]), key=lambda m: m.name):
        found = getattr(import_module(f"{__package__}.{module.name}"), "ENGINE", None)
        if isinstance(found, EngineEntry):
            yield found
