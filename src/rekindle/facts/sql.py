"""Writes names and texts as SQL, and an engine's message as one line."""

from __future__ import annotations


def quoted(name: str) -> str:
    """Return ``name`` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return ``text`` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def first_line(error: object) -> str:
    """Return the first line of an error's message, or its kind where it has none."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def first_and_last_line(error: object) -> str:
    """Return the ends of a long message: a store says first what, and last why."""
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    return first_line(error) if len(lines) < 2 else f"{lines[0]}: {lines[-1]}"
