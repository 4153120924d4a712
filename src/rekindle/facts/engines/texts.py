"""Remembers the SQL of expressions, so that one that comes again is not compiled again.

Ibis takes longer to compile a profile than DuckDB to answer it for a small shop. Every
import begins a new engine that is asked the same, so what is remembered is of no engine:
it holds no connection and no rows, and lasts as long as the process. A worker asks the same
of another instant in every pass: instants and days are gaps in the text, which are filled.
"""

from __future__ import annotations

import itertools
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import ibis.expr.operations as ops
from ibis.backends import BaseBackend
from ibis.common.graph import Node
from ibis.expr.operations.udf import InputType

MOST_SHAPES = 50_000
MOST_TEXTS = 500

# Numbers are given once and never again: a shape that was forgotten comes back as a new one.
_numbers = itertools.count()
_shapes: dict[Hashable, int] = {}
_texts: OrderedDict[Hashable, _Text] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Shape:
    """What equal expressions over any engine of one kind share.

    Expressions that differ in ``instants`` alone, which are written as DuckDB is told them,
    have one ``number``.
    """

    number: int
    instants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Text:
    """A text as it was compiled, and its pieces with the place of an instant in each gap.

    ``is_proved`` says whether a text with other instants had the same pieces: Ibis might
    have written an instant in a way of its own. None is not known.
    """

    text: str
    instants: tuple[str, ...] = ()
    pieces: tuple[str | int, ...] = ()
    is_proved: bool | None = None

    def fill(self, instants: tuple[str, ...]) -> str:
        """Return the text with other instants in its gaps."""
        return "".join([instants[one] if isinstance(one, int) else one for one in self.pieces])


def find_shape(expression: Any) -> Shape | None:
    """Return the shape of an expression.

    None is an expression that brings something along, rows or a function of Python, which
    an engine has to be given first.
    """
    with _lock:
        if len(_shapes) > MOST_SHAPES:
            _shapes.clear()
            _texts.clear()
        walk = _Walk()
        try:
            number = walk.number(expression.as_table().op())
        except (_BringsSomethingError, RecursionError):
            return None
        return Shape(number, tuple(walk.instants))


def remember(shape: Shape | None, kind: Hashable, compile_: Callable[[], str]) -> str:
    """Return the SQL of a shape, compiled at most once while it is remembered.

    One that differs in its instants is compiled a second time, to see that the text differs
    in them alone. ``kind`` says what else the text depends on.
    """
    if shape is None:
        return compile_()
    keys = (shape.number, kind), (shape, kind)
    with _lock:
        for key in keys:
            known = _texts.get(key)
            if known is not None and (shape.instants == known.instants or known.is_proved):
                _texts.move_to_end(key)
                return known.fill(shape.instants) if known.is_proved else known.text
    text = compile_()
    with _lock:
        _keep(*keys, _Text(text, shape.instants, _split(text, shape.instants)))
    return text


def _keep(general: Hashable, exact: Hashable, new: _Text) -> None:
    """Keep a text for all of its number; by its instants, if they are not all that differs."""
    known = _texts.get(general)
    if known is None or known.is_proved or known.instants == new.instants:
        _texts[general] = new
    elif known.is_proved is None:
        _texts[general] = replace(new, is_proved=known.pieces == new.pieces)
    else:
        _texts[exact] = new
    while len(_texts) > MOST_TEXTS:
        _texts.popitem(last=False)


def _split(text: str, instants: tuple[str, ...]) -> tuple[str | int, ...]:
    """Return a text in pieces, an instant as its place among the instants."""
    if not instants:
        return (text,)
    places = {one: place for place, one in enumerate(instants)}
    pieces = re.split(f"({'|'.join(map(re.escape, instants))})", text)
    return tuple(places.get(piece, piece) for piece in pieces)


class _BringsSomethingError(Exception):
    """The expression holds more than a description."""


@dataclass(slots=True)
class _Walk:
    """One walk over an expression: the numbers of its nodes, and the instants in their order."""

    instants: dict[str, int] = field(default_factory=dict)
    known: dict[int, int] = field(default_factory=dict)

    def number(self, node: Node) -> int:
        """Return the number of a node: equal classes and arguments have equal numbers."""
        found = self.known.get(id(node))
        if found is None:
            if _brings(node):
                raise _BringsSomethingError
            if isinstance(node, ops.Literal):
                shape = self._literal(node)
            else:
                shape = (type(node), tuple([self._part(one) for one in node.__args__]))
            self.known[id(node)] = found = _shapes.setdefault(shape, next(_numbers))
        return found

    def _literal(self, node: ops.Literal) -> Hashable:
        if text := _instant(node.value, node.dtype):
            # Ibis joins what is equal: so which of the instants are the same is of the shape.
            return (type(node), self.instants.setdefault(text, len(self.instants)), node.dtype)
        # Not by equality: two instants in the hour a clock repeats are equal, and so are
        # the numbers 1, 1.0 and True.
        return (type(node), repr(node.value), node.dtype)

    def _part(self, value: Any) -> Hashable:
        """Return what stands for an argument of a node."""
        if isinstance(value, Node):
            return self.number(value)
        if isinstance(value, tuple):
            return (tuple, *[self._part(one) for one in value])
        if isinstance(value, Mapping):
            return (dict, *[(key, self._part(one)) for key, one in value.items()])
        if isinstance(value, BaseBackend):
            return (type(value),)
        return (type(value), value)


def _brings(node: Node) -> bool:
    """Return whether a node holds rows or a function of Python; a name of the engine's is none."""
    if isinstance(node, ops.ScalarUDF | ops.AggUDF):
        return node.__input_type__ is not InputType.BUILTIN
    return isinstance(node, ops.InMemoryTable)


def _instant(value: Any, kind: Any) -> str | None:
    """Return an instant of UTC or a day as Ibis writes it for DuckDB; None for all else."""
    if type(value) is datetime and kind.is_timestamp():
        if kind.timezone == "UTC" and value.utcoffset() == timedelta():
            day = f"{value.year}, {value.month}, {value.day}, {value.hour}, {value.minute}"
            return f"MAKE_TIMESTAMPTZ({day}, {value.second + value.microsecond / 1e6}, 'UTC')"
    elif type(value) is date and kind.is_date():
        return f"MAKE_DATE({value.year}, {value.month}, {value.day})"
    return None
