"""Builds the Ibis expression of a checked predicate over a profile table.

Every node the reader lets pass has its builder here; an architecture of two tables that
a test holds against each other.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import ibis
import ibis.expr.types as ir
from sqlglot import exp

from rekindle.audiences.checking import type_of_column
from rekindle.audiences.literals import as_date, as_instant, as_number
from rekindle.audiences.predicate import Predicate
from rekindle.errors import PredicateError

PLACES = 6  # to which amounts that were reckoned are compared

Build = Callable[[Any, ir.Table], Any]


def build_condition(predicate: Predicate, table: ir.Table) -> ir.BooleanValue:
    """Return the condition over ``table``, which holds the profile's columns.

    ``as_of_on`` is today's date in the predicate; where the table lacks it,
    ``current_date`` cannot be asked. NULL counts as no match.

    Raises:
        PredicateError: behaviours are in it; ``bind_flags`` fills them in.
    """
    if predicate.behaviours:
        raise PredicateError(
            f"a profile does not know of {', '.join(sorted(predicate.behaviours))}; "
            "bind the behaviours first"
        )
    return ibis.coalesce(_build(predicate.tree, table), ibis.literal(False))


def _build(node: exp.Expr, table: ir.Table) -> Any:
    return _BUILDERS[type(node)](node, table)


def _column(node: exp.Column, table: ir.Table) -> Any:
    name = node.name.lower()
    value = table[name]
    # Money is an exact decimal; beside a float literal it is compared as one.
    return value.cast("float64") if type_of_column(name) == "number" else value


def _literal(node: exp.Literal, table: ir.Table) -> Any:
    return ibis.literal(str(node.this)) if node.is_string else ibis.literal(as_number(node))


def _compare(compare: Callable[[Any, Any], Any]) -> Build:
    def build(node: exp.Expr, table: ir.Table) -> Any:
        left, right = _pair(node.this, node.expression, table)
        if left.type().is_floating() and any(map(_is_reckoned, (node.this, node.expression))):
            # 0.1 + 0.2 is 0.3 of the money that people count.
            left, right = left.round(PLACES), right.cast("float64").round(PLACES)
        return compare(left, right)

    return build


def _is_reckoned(node: exp.Expr) -> bool:
    return node.find(exp.Add, exp.Sub, exp.Mul, exp.Div) is not None


def _alike(nodes: Sequence[exp.Expr], table: ir.Table) -> list[Any]:
    """Return values that are read as what is no text among them is."""
    built = [_build(node, table) for node in nodes]
    pairs = list(zip(nodes, built, strict=True))
    models = [value for node, value in pairs if not _is_text(node)]
    return [_like_the_other(node, value, models[0]) if models else value for node, value in pairs]


def _is_text(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and bool(node.is_string)


def _pair(left: exp.Expr, right: exp.Expr, table: ir.Table) -> tuple[Any, Any]:
    a, b = _build(left, table), _build(right, table)
    return _like_the_other(left, a, b), _like_the_other(right, b, a)


def _like_the_other(node: exp.Expr, value: Any, other: Any) -> Any:
    """Read a quoted text or day as a date or an instant when it stands beside one."""
    if isinstance(node, exp.Cast) or _is_text(node):
        if other.type().is_date():
            return ibis.date(as_date(node))
        if other.type().is_timestamp():
            return ibis.literal(as_instant(node), type="timestamp('UTC', 6)")
    return value


def _between(node: exp.Between, table: ir.Table) -> Any:
    value, low, high = _alike((node.this, node.args["low"], node.args["high"]), table)
    return (value >= low) & (value <= high)


def _in(node: exp.In, table: ir.Table) -> Any:
    value = _build(node.this, table)
    return value.isin([_pair(node.this, choice, table)[1] for choice in node.expressions])


def _is(node: exp.Is, table: ir.Table) -> Any:
    value = _build(node.this, table)
    if isinstance(node.expression, exp.Null):
        return value.isnull()
    # As in SQL, what is not known is neither true nor false.
    same = value == ibis.literal(bool(node.expression.this))
    return ibis.coalesce(same, ibis.literal(False))


def _add_or_take(apply: Callable[[Any, Any], Any]) -> Build:
    def build(node: exp.Expr, table: ir.Table) -> Any:
        left = _build(node.this, table)
        if isinstance(node.expression, exp.Interval):
            moved = apply(left, ibis.interval(days=int(str(node.expression.this.this))))
            return moved.cast(left.type())
        return apply(left, _build(node.expression, table))

    return build


def _divide(node: exp.Div, table: ir.Table) -> Any:
    """Divide; by zero gives NULL on every engine, and so no match."""
    below = _build(node.expression, table).cast("float64").nullif(0.0)
    return _build(node.this, table).cast("float64") / below


def _cast(node: exp.Cast, table: ir.Table) -> Any:
    if node.to.sql(dialect="duckdb") == "DATE":
        return ibis.date(as_date(node))
    return ibis.literal(as_instant(node), type="timestamp('UTC', 6)")


def _both(combine: Callable[[Any, Any], Any]) -> Build:
    return lambda node, table: combine(_build(node.this, table), _build(node.expression, table))


def _like(method: str) -> Build:
    def build(node: exp.Binary, table: ir.Table) -> Any:
        fits = getattr(_build(node.this, table), method)(str(node.expression.this))
        return ~fits if node.args.get("negate") else fits

    return build


def _chain(combine: Callable[[Any, Any], Any]) -> Build:
    def build(node: exp.Connector, table: ir.Table) -> Any:
        return reduce(combine, [_build(part, table) for part in node.flatten(unnest=False)])

    return build


def _method(name: str) -> Build:
    return lambda node, table: getattr(_build(node.this, table), name)()


_BUILDERS: dict[type[exp.Expr], Build] = {
    exp.Column: _column,
    exp.Literal: _literal,
    exp.Boolean: lambda node, table: ibis.literal(bool(node.this)),
    exp.And: _chain(operator.and_),
    exp.Or: _chain(operator.or_),
    exp.Not: lambda node, table: ~_build(node.this, table),
    exp.Paren: lambda node, table: _build(node.this, table),
    exp.EQ: _compare(operator.eq),
    exp.NEQ: _compare(operator.ne),
    exp.GT: _compare(operator.gt),
    exp.GTE: _compare(operator.ge),
    exp.LT: _compare(operator.lt),
    exp.LTE: _compare(operator.le),
    exp.Between: _between,
    exp.In: _in,
    exp.Is: _is,
    exp.Like: _like("like"),
    exp.ILike: _like("ilike"),
    exp.Add: _add_or_take(operator.add),
    exp.Sub: _add_or_take(operator.sub),
    exp.Mul: _both(operator.mul),
    exp.Div: _divide,
    exp.Neg: lambda node, table: -_build(node.this, table),
    exp.Abs: _method("abs"),
    exp.Cast: _cast,
    exp.CurrentDate: lambda node, table: table.as_of_on,
    exp.Lower: _method("lower"),
    exp.Upper: _method("upper"),
    exp.Trim: _method("strip"),
    exp.Coalesce: lambda node, table: ibis.coalesce(*_alike((node.this, *node.expressions), table)),
}
