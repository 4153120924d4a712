"""The few shapes of Markdown that generated pages are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def note(title: str, lead: str) -> str:
    """Return the head of a generated page."""
    return f"<!-- Written by `make docs`; edits here are lost. -->\n\n# {title}\n\n{lead}\n\n"


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a table whose headings are the keys of the first row; "" without rows.

    The first column is set as code, for it holds the word one types.
    """
    if not rows:
        return ""
    heads = list(rows[0])
    lines = [
        "| " + " | ".join(head.replace("_", " ").capitalize() for head in heads) + " |",
        "|" + "---|" * len(heads),
    ]
    for row in rows:
        first, *others = (cell(row[head]) for head in heads)
        lines.append("| " + " | ".join([f"`{first}`", *others]) + " |")
    return "\n".join(lines) + "\n"


def cell(value: Any) -> str:
    """Return a value as one line of table text."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(cell(part) for part in value) or "–"
    return " ".join(str(value).split()).replace("|", "\\|")
