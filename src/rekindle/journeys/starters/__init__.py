"""Journeys to begin with: a new workspace gets a copy of a few, and of others when asked.

The comments in the files teach the language, so they are kept when copied. A sequence says in
its comment what it needs; its templates and offers stand in ``content`` and ``offers``.
"""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable

SUFFIX = ".yaml"


def starter_journeys() -> dict[str, str]:
    """Return the text of every journey a new workspace begins with, by its file name."""
    return _texts(files(__name__))


def sequence_journeys() -> dict[str, str]:
    """Return the text of every sequence that is copied when asked for, by its name."""
    found = _texts(files(__name__) / "sequences")
    return {name.removesuffix(SUFFIX): text for name, text in found.items()}


def _texts(folder: Traversable) -> dict[str, str]:
    found = [path for path in folder.iterdir() if path.name.endswith(SUFFIX)]
    return {path.name: path.read_text("utf-8") for path in sorted(found, key=lambda p: p.name)}
