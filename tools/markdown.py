"""The few shapes of Markdown that generated pages are made of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

BLOCK = re.compile(r"(<!-- Written by `make docs`: begin -->\n).*?(<!-- end -->)", re.DOTALL)


def note(title: str, lead: str) -> str:
    """Return the head of a generated page."""
    return f"<!-- Written by `make docs`; edits here are lost. -->\n\n# {title}\n\n{lead}\n\n"


def fill(page: Path, block: str) -> str:
    """Return a page that people write with ``block`` in place of its one generated part.

    Raises:
        ValueError: the page does not mark exactly one part as generated.
    """
    written = page.read_text(encoding="utf-8")
    text, count = BLOCK.subn(lambda found: f"{found[1]}\n{block.strip()}\n\n{found[2]}", written)
    if count != 1:
        raise ValueError(f"{page} marks {count} parts as generated; mark one")
    return text


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
