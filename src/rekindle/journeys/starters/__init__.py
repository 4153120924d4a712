"""Journeys to begin with: a new workspace gets a copy of each, to read and to change.

The comments in the files teach the language, so they are kept when copied.
"""

from __future__ import annotations

from importlib.resources import files


def starter_journeys() -> dict[str, str]:
    """Return the text of every starter journey by its file name."""
    found = [path for path in files(__name__).iterdir() if path.name.endswith(".yaml")]
    return {path.name: path.read_text("utf-8") for path in sorted(found, key=lambda p: p.name)}
