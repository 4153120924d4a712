"""What installed packages bring, by entry point: one way to load it, and to say that it fails."""

from __future__ import annotations

from collections.abc import Iterator
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
