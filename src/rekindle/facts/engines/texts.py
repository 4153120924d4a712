"""Remembers the SQL of expressions, so that one that comes again is not compiled again.

Ibis takes longer to compile a profile than DuckDB to answer it for a small shop. Every
import begins a new engine that is asked the same, so what is remembered is of no engine:
it holds no connection and no rows, and lasts as long as the process. A worker asks the same
of another instant in every pass, and of what came since another import: instants, days and the
numbers of imports are gaps in the text, which are filled.
"""

from __future__ import annotations

import itertools
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Generic, TypeVar

import ibis.expr.operations as ops
from ibis.backends import BaseBackend
from ibis.common.graph import Node
from ibis.expr.operations.udf import InputType

MOST_SHAPES = 50_000
LEAST_NUMBER = 10**12
"""Numbers of imports are above it: microseconds since 1970."""
MOST_TEXTS = 500

# Numbers are given once and never again: a shape that was forgotten comes back as a new one.
_numbers = itertools.count()
_shapes: dict[Hashable, int] = {}
_lock = threading.Lock()

Pieces = tuple[str | int, ...]
"""A text in pieces, with the place of an instant in each gap."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What equal expressions over any engine of one kind share.

    Expressions that differ in ``instants`` alone, which are written as DuckDB is told them,
    have one ``number``.
    """

    number: int
    instants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Remembered:
    """What was made for some instants, and what of it is the same for all others.

    ``is_proved`` says whether what was made for other instants was the same beside them: Ibis
    might have written an instant in a way of its own. None is not known. ``varied`` are the
    places of instants that were others then: one that never was may only look like a constant.
    """

    instants: tuple[str, ...]
    same: Hashable
    is_proved: bool | None = field(default=None, kw_only=True)
    varied: frozenset[int] = field(default=frozenset(), kw_only=True)

    def holds_for(self, instants: tuple[str, ...]) -> bool:
        """Return whether it is known what it is for these instants."""
        return instants == self.instants or (
            bool(self.is_proved) and self.varied.issuperset(self.differ(instants))
        )

    def differ(self, instants: tuple[str, ...]) -> frozenset[int]:
        """Return the places of instants that are others than those it was made for."""
        pairs = enumerate(zip(self.instants, instants, strict=True))
        return frozenset(place for place, (own, other) in pairs if own != other)


Kept = TypeVar("Kept", bound=Remembered)


class Memory(Generic[Kept]):
    """Remembers what was made by what it was made of, the instants in it apart.

    What differs in its instants is made a second time, to see that it differs in them alone.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[Hashable, Kept] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: Hashable, instants: tuple[str, ...]) -> Kept | None:
        """Return what was made of ``key`` and holds for these instants."""
        with self._lock:
            for one in (key, (key, instants)):
                known = self._held.get(one)
                if known is not None and known.holds_for(instants):
                    self._held.move_to_end(one)
                    return known
        return None

    def keep(self, key: Hashable, new: Kept) -> Kept:
        """Keep what was made, for all instants once it is proved, and return what is kept."""
        with self._lock:
            known = self._held.get(key)
            if known is None or known.instants == new.instants:
                self._held[key] = new
            elif known.is_proved is not False and known.same == new.same:
                varied = known.varied | known.differ(new.instants)
                new = self._held[key] = replace(known, is_proved=True, varied=varied)
            elif known.is_proved is None:
                self._held[key] = replace(new, is_proved=False)
            else:
                self._held[key, new.instants] = new
            while len(self._held) > self._most:
                self._held.popitem(last=False)
        return new

    def __len__(self) -> int:
        return len(self._held)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()


@dataclass(frozen=True, slots=True)
class _Text(Remembered):
    """A text as it was compiled; ``same`` are its pieces."""

    text: str

    def holds_for(self, instants: tuple[str, ...]) -> bool:
        """Return whether it is known: which instants are equal is of a question's shape."""
        return instants == self.instants or bool(self.is_proved)


_texts: Memory[_Text] = Memory(MOST_TEXTS)


def walk(nodes: Iterable[Node]) -> Walk | None:
    """Return a walk over expressions; None where one brings something along, as below."""
    with _lock:
        if len(_shapes) > MOST_SHAPES:
            _shapes.clear()
            _texts.clear()
        found = Walk()
        try:
            found.numbers = [found.number(node) for node in nodes]
        except (_BringsSomethingError, RecursionError):
            return None
        return found


def find_shape(expression: Any) -> Shape | None:
    """Return the shape of an expression.

    None is an expression that brings something along, rows or a function of Python, which
    an engine has to be given first.
    """
    found = walk([expression.as_table().op()])
    return None if found is None else Shape(found.numbers[0], tuple(found.instants))


def remember(shape: Shape | None, kind: Hashable, compile_: Callable[[], str]) -> str:
    """Return the SQL of a shape, compiled at most once while it is remembered.

    ``kind`` says what else the text depends on.
    """
    if shape is None:
        return compile_()
    key, instants = (shape.number, kind), shape.instants
    known = _texts.find(key, instants)
    if known is None:
        text = compile_()
        _texts.keep(key, _Text(instants, split_at(instants, text), text))
        return text
    return known.text if known.instants == instants else fill(known.same, instants)


def fill(pieces: Any, instants: tuple[str, ...]) -> str:
    """Return a text with instants in its gaps."""
    return "".join([instants[one] if isinstance(one, int) else one for one in pieces])


def split_at(instants: tuple[str, ...], text: str) -> Pieces:
    """Return a text in pieces, an instant as its place among the instants."""
    if not instants:
        return (text,)
    places = {one: place for place, one in enumerate(instants)}
    pieces = re.split(f"({'|'.join(map(re.escape, instants))})", text)
    return tuple(places.get(piece, piece) for piece in pieces)


class _BringsSomethingError(Exception):
    """The expression holds more than a description."""


@dataclass(slots=True)
class Walk:
    """One walk over expressions: the numbers of their nodes, and the instants in their order."""

    instants: dict[str, int] = field(default_factory=dict)
    literals: list[ops.Literal] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
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
            if text not in self.instants:
                self.literals.append(node)
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
    """Return an instant of UTC, a day or an import's number as Ibis writes it for DuckDB.

    None is for all else.
    """
    if type(value) is datetime and kind.is_timestamp():
        if kind.timezone == "UTC" and value.utcoffset() == timedelta():
            day = f"{value.year}, {value.month}, {value.day}, {value.hour}, {value.minute}"
            return f"MAKE_TIMESTAMPTZ({day}, {value.second + value.microsecond / 1e6}, 'UTC')"
    elif type(value) is date and kind.is_date():
        return f"MAKE_DATE({value.year}, {value.month}, {value.day})"
    elif type(value) is int and kind.is_int64() and value > LEAST_NUMBER:
        return str(value)
    return None
