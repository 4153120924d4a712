"""The templates a new workspace begins with; from then on they are the shop's own."""

from __future__ import annotations

from importlib.resources import files


def starter_templates() -> dict[str, str]:
    """Return file name → text of the starter templates."""
    found = (entry for entry in files(__name__).iterdir() if entry.name.endswith((".mjml", ".txt")))
    return {entry.name: entry.read_text(encoding="utf-8") for entry in found}
