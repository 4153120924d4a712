"""Puts what a person did into a condition, so that only the profile is left to ask.

The engine knows who clicked, the profile who is a big spender; a condition may speak of
both. Once the first is filled in, many conditions are settled without any question.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import lru_cache, reduce
from typing import Any

from sqlglot import exp

from rekindle.audiences.behaviours import event_of
from rekindle.audiences.literals import constant
from rekindle.audiences.predicate import parse_predicate

COMPARISONS: Mapping[type[exp.Expr], Callable[[Any, Any], bool]] = {
    exp.EQ: operator.eq,
    exp.NEQ: operator.ne,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
    exp.LT: operator.lt,
    exp.LTE: operator.le,
}


@lru_cache(maxsize=1024)
def behaviours_in(text: str) -> frozenset[str]:
    """Return the names of the events the condition ``text`` asks about.

    Raises:
        PredicateError: it is no condition.
    """
    return parse_predicate(text, allow_behaviours=True).behaviours


def bind_flags(text: str, flags: Mapping[str, bool]) -> str | bool:
    """Return the condition ``text`` with its behaviours filled in.

    ``flags`` says by event name what was done; an event it does not name was not. The
    answer is a bool where nothing of the profile is left, else a predicate without
    behaviours, which may be one that is always true.

    Raises:
        PredicateError: it is no condition.
    """
    asked = behaviours_in(text)
    return _bound(text, frozenset(event for event in asked if flags.get(event)))


@lru_cache(maxsize=4096)
def _bound(text: str, done: frozenset[str]) -> str | bool:
    folded = _Folding(done).fold(parse_predicate(text, allow_behaviours=True).tree.copy())
    return folded if isinstance(folded, bool) else folded.sql(dialect="duckdb")


class _Folding:
    """Replaces behaviours in a tree, in place, and settles what they settle.

    SQL's logic of three values stays: what is not known is still not known.
    """

    def __init__(self, done: frozenset[str]) -> None:
        self._done = done

    def fold(self, node: exp.Expr) -> exp.Expr | bool:
        """Return the node without behaviours, or the bool it comes to."""
        if (event := event_of(node)) is not None:
            return event in self._done
        if isinstance(node, exp.And | exp.Or):
            return self._chain(node)
        for child in list(node.iter_expressions()):
            folded = self.fold(child)
            if folded is not child:
                child.replace(_as_node(folded))
        settled = _settled(node)
        return node if settled is None else settled

    def _chain(self, node: exp.Connector) -> exp.Expr | bool:
        decisive = isinstance(node, exp.Or)
        kind, open_parts = type(node), []
        for part in list(node.flatten(unnest=False)):
            folded = self.fold(part)
            if folded is decisive:
                return decisive
            if not isinstance(folded, bool):
                open_parts.append(folded)
        if not open_parts:
            return not decisive
        return reduce(lambda left, right: kind(this=left, expression=right), open_parts)


def _settled(node: exp.Expr) -> bool | None:
    """Return what a condition of constants comes to, None where it takes more to say."""
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    inner = constant(node.this) if isinstance(node.this, exp.Expr) else None
    if inner is None:
        return None
    if isinstance(inner, bool) and isinstance(node, exp.Paren | exp.Coalesce | exp.Not):
        return inner is not isinstance(node, exp.Not)
    if isinstance(node, exp.In):
        values = [constant(choice) for choice in node.expressions]
        return inner in values if None not in values else None
    if isinstance(node, exp.Is):
        return inner == constant(node.expression)
    compare = COMPARISONS.get(type(node))
    other = constant(node.expression) if compare else None
    return compare(inner, other) if compare and type(other) is type(inner) else None


def _as_node(folded: exp.Expr | bool) -> exp.Expr:
    return exp.Boolean(this=folded) if isinstance(folded, bool) else folded
