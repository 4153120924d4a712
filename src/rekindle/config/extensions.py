"""Finds the pieces of one kind: a file each in a folder of ours, and what packages bring."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from rekindle.errors import ConfigError


def load_extensions(group: str) -> Iterator[tuple[EntryPoint, Any]]:
    """Yield the entry points of a group, by name, with what each names.

    Raises:
        ConfigError: one cannot be loaded.
    """
    for point in sorted(entry_points(group=group), key=lambda one: (one.name, one.value)):
        try:
            found = point.load()
        except Exception as error:  # a module from outside fails in whatever way it likes
            is_plain = isinstance(error, (ImportError, AttributeError))
            told = str(error) if is_plain else f"{type(error).__name__}: {error}"
            raise ConfigError(
                f"{point.value} ({group}) of an installed package cannot be loaded: {told}; mend "
                "or remove the package"
            ) from error
        yield point, found


def find_pieces(
    package: str, face: str, group: str, *, are_folders: bool = False
) -> Iterator[tuple[str, Any]]:
    """Yield where each piece stands, and what it is: our own by name, then those from outside.

    Every module of ``package`` and of the folders in it, or every folder where they
    ``are_folders``, shows one as ``face``; installed packages bring theirs by entry points of
    ``group``.

    Raises:
        ConfigError: one from outside cannot be loaded.
    """
    yield from _find_own(package, face, are_folders=are_folders)
    for point, piece in load_extensions(group):
        yield f"{point.value} ({group})", piece


def _find_own(package: str, face: str, *, are_folders: bool) -> Iterator[tuple[str, Any]]:
    folder = import_module(package).__path__
    for module in sorted(pkgutil.iter_modules(folder), key=lambda one: one.name):
        place = f"{package}.{module.name}"
        if module.ispkg and not are_folders:
            yield from _find_own(place, face, are_folders=False)
        elif module.ispkg or not are_folders:
            yield place, getattr(import_module(place), face)
