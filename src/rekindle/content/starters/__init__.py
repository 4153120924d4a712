"""The templates a workspace begins with; from then on they are the shop's own."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable


def starter_templates() -> dict[str, str]:
    """Return file name → text of the templates of a new workspace."""
    return _texts(files(__name__))


def sequence_templates(name: str) -> dict[str, str]:
    """Return file name → text of the templates of one sequence."""
    return _texts(files(__name__) / "sequences" / name)


def _texts(folder: Traversable) -> dict[str, str]:
    found = (entry for entry in folder.iterdir() if entry.name.endswith((".mjml", ".txt")))
    return {entry.name: entry.read_text(encoding="utf-8") for entry in found}
