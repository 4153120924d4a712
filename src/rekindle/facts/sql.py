"""Writes names and texts as SQL, and an engine's message as one line."""

from __future__ import annotations


def quoted(name: str) -> str:
    """Return ``name`` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return ``text`` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def named(value: str, name: str, body: str) -> str:
    """Return SQL for ``body``, in which ``name`` stands for ``value``.

    A rule that uses a part of itself again and again grows by powers, and takes the engine
    longer to read than the rows of a small file. It costs a list of one a row: this is for
    the branch of a CASE that few rows come to.
    """
    return f"list_transform([{value}], lambda {name}: {body})[1]"


def first_line(error: object) -> str:
    """Return the first line of an error's message, or its kind where it has none."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def first_and_last_line(error: object) -> str:
    """Return the ends of a long message: a store says first what, and last why."""
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    return first_line(error) if len(lines) < 2 else f"{lines[0]}: {lines[-1]}"
