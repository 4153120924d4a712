"""Literals of a predicate's tree as Python values."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlglot import exp


def as_date(node: exp.Expr) -> date:
    """Return the day a text or ``date '…'`` names.

    Raises:
        ValueError: it is no ISO 8601 day.
    """
    return date.fromisoformat(_text(node))


def as_instant(node: exp.Expr) -> datetime:
    """Return the instant a text or ``timestamp '…'`` names; UTC without an offset.

    Raises:
        ValueError: it is no ISO 8601 instant.
    """
    at = datetime.fromisoformat(_text(node))
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def as_number(node: exp.Literal) -> float:
    """Return a number literal's value; in a predicate all numbers are floating.

    Raises:
        ValueError: the reader takes it for a number, but it is none, like ``0E``.
    """
    return float(str(node.this))


def constant(node: exp.Expr) -> bool | float | str | None:
    """Return the value of a flag, number or text that is written out, else None."""
    node = node.unnest()
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if isinstance(node, exp.Neg):
        inner = constant(node.this)
        return -inner if isinstance(inner, float) else None
    if isinstance(node, exp.Literal):
        return str(node.this) if node.is_string else as_number(node)
    return None


def _text(node: exp.Expr) -> str:
    inner = node.this if isinstance(node, exp.Cast) else node
    if not (isinstance(inner, exp.Literal) and inner.is_string):
        raise ValueError("not a text")
    return str(inner.this)
