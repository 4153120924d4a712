"""Finds the kinds of files: every file of this folder that opens one, and those from outside.

An installed package adds a kind by an entry point of the group ``rekindle.sources`` that
names a ``Format``.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

from rekindle.errors import ConfigError
from rekindle.facts.sources.raw import Format

GROUP = "rekindle.sources"


@cache
def discover() -> Mapping[str, Format]:
    """Return the kinds of files by ending.

    Raises:
        ConfigError: an entry point names no format, or an ending that is taken.
    """
    found = {ending: form for form in _own() for ending in form.endings}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        form = point.load()
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
