"""Remembers the SQL of expressions, so that one that comes again is not compiled again.

Ibis takes longer to compile a profile than DuckDB to answer it for a small shop. Every
import begins a new engine that is asked the same, so what is remembered is of no engine:
it holds no connection and no rows, and lasts as long as the process.
"""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import ibis.expr.operations as ops
from ibis.backends import BaseBackend
from ibis.common.graph import Node

MOST_SHAPES = 50_000
MOST_TEXTS = 500

# Numbers are given once and never again: a shape that was forgotten comes back as a new one.
_numbers = itertools.count()
_shapes: dict[Hashable, int] = {}
_texts: OrderedDict[Hashable, str] = OrderedDict()
_lock = threading.Lock()


def find_shape(expression: Any) -> int | None:
    """Return a number that equal expressions over any engine of one kind share.

    None is an expression that brings something along, rows or a function of Python, which
    an engine has to be given first.
    """
    with _lock:
        if len(_shapes) > MOST_SHAPES:
            _shapes.clear()
            _texts.clear()
        try:
            return _number(expression.as_table().op(), {})
        except (_BringsSomethingError, RecursionError):
            return None


def remember(shape: int | None, kind: Hashable, compile_: Callable[[], str]) -> str:
    """Return the SQL of a shape, compiled at most once while it is remembered.

    ``kind`` says what else the text depends on.
    """
    if shape is None:
        return compile_()
    key = (shape, kind)
    with _lock:
        known = _texts.get(key)
        if known is not None:
            _texts.move_to_end(key)
            return known
    text = compile_()
    with _lock:
        _texts[key] = text
        if len(_texts) > MOST_TEXTS:
            _texts.popitem(last=False)
    return text


class _BringsSomethingError(Exception):
    """The expression holds more than a description."""


def _number(node: Node, known: dict[int, int]) -> int:
    """Return the number of a node: equal classes and arguments have equal numbers."""
    found = known.get(id(node))
    if found is None:
        if isinstance(node, ops.InMemoryTable | ops.ScalarUDF | ops.AggUDF):
            raise _BringsSomethingError
        if isinstance(node, ops.Literal):
            # Not by equality: two instants in the hour a clock repeats are equal, and so are
            # the numbers 1, 1.0 and True.
            shape: Hashable = (type(node), repr(node.value), node.dtype)
        else:
            shape = (type(node), tuple([_part(one, known) for one in node.__args__]))
        known[id(node)] = found = _shapes.setdefault(shape, next(_numbers))
    return found


def _part(value: Any, known: dict[int, int]) -> Hashable:
    """Return what stands for an argument of a node."""
    if isinstance(value, Node):
        return _number(value, known)
    if isinstance(value, tuple):
        return (tuple, *[_part(one, known) for one in value])
    if isinstance(value, Mapping):
        return (dict, *[(key, _part(one, known)) for key, one in value.items()])
    if isinstance(value, BaseBackend):
        return (type(value),)
    return (type(value), value)
