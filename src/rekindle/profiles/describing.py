"""Describes the families as Markdown, for the reference page."""

from __future__ import annotations

from collections.abc import Iterable

from rekindle.profiles.discovery import FAMILIES
from rekindle.profiles.model import Family


def describe_families() -> str:
    """Return the profile's columns and the families as two Markdown tables."""
    lines = [
        "| Name | Type | Unit | Meaning | Family |",
        "|---|---|---|---|---|",
    ]
    for column in FAMILIES.columns:
        family = FAMILIES.maker.get(column.name)
        lines.append(
            f"| `{column.name}` | {column.type} | {column.unit} | {column.meaning} "
            f"| {family.name if family else ''} |"
        )
    lines += [
        "",
        "## Families",
        "",
        "What a family reads, which columns of others it is made of, and what its columns are",
        "for somebody it has no data about: empty, unless it says otherwise.",
        "",
        "| Family | What it knows | Tables | Made of | Without data |",
        "|---|---|---|---|---|",
    ]
    lines += [_row(FAMILIES[name]) for name in sorted(FAMILIES)]
    return "\n".join(lines) + "\n"


def _row(family: Family) -> str:
    made_of = (*family.needs, *family.may_use)
    shown = [name for name in made_of if name in FAMILIES.by_column]
    blanks = [
        f"`{column.name}` {str(column.blank).lower()}"
        for column in family.columns
        if column.blank is not None
    ]
    return (
        f"| {family.name} | {family.meaning} | {_names(family.tables)} | {_names(shown)} "
        f"| {', '.join(blanks)} |"
    )


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
