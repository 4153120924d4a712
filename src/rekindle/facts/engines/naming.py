"""Names queries, so that what was built of like facts before is neither built nor compiled again.

Ibis takes longer to build a profile, and much longer to compile it, than DuckDB to answer it
for a small shop. Whoever builds on a named query sees a table of the columns it has; its SQL
stands before the question, with the question's instants in it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Protocol, runtime_checkable

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
from ibis.common.typing import VarTuple

from rekindle.facts.contracts import INSTANT
from rekindle.facts.engines.texts import Memory, Pieces, Remembered, Walk, fill, split_at, walk
from rekindle.facts.facts import Facts

MOST_QUERIES = 400

# Never given again: a question that was built on a query that was forgotten still holds it.
_numbers = itertools.count()


@runtime_checkable
class QueryWriter(Protocol):
    """An Ibis connection that can put named queries before a question."""

    def write_alone(self, expression: ir.Table) -> str:
        """Return the SQL of an expression without the queries it names."""


@dataclass(frozen=True, slots=True, eq=False)
class _Definition:
    """A query's name, and the names and texts of those it is made of, itself the last.

    There is one for each name: a question that names it is the same again by that.
    """

    name: str
    texts: tuple[tuple[Pieces, Pieces], ...]

    def write(self, instants: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """Yield the names and texts of it and of all that stand before it."""
        for name, text in self.texts:
            yield fill(name, instants), fill(text, instants)


@dataclass(frozen=True, slots=True)
class _Query(Remembered):
    schema: Any
    definition: _Definition


_queries: Memory[_Query] = Memory(MOST_QUERIES)


class NamedQuery(ops.DatabaseTable):  # type: ignore[misc]
    """The rows of a query as of these instants."""

    definition: Any
    instants: VarTuple[ops.Literal]


@dataclass(frozen=True, slots=True)
class Basis:
    """What queries are made of, of one engine: expressions whose shapes are known."""

    key: Hashable
    walk: Walk
    source: QueryWriter


def lay_basis(tables: Sequence[ir.Table], others: Hashable = ()) -> Basis | None:
    """Return what queries can be made of; None for what no engine that names queries has.

    ``others`` is what else they depend on.
    """
    source = _source_of(tables)
    found = walk([table.op() for table in tables]) if source is not None else None
    if source is None or found is None:
        return None
    return Basis((others, tuple(found.numbers)), found, source)


def name_query(
    what: Hashable,
    on: Facts | Basis | None,
    build: Callable[[], ir.Table],
    *,
    instants: Sequence[datetime | date | int] = (),
    beside: Sequence[ir.Table] = (),
) -> ir.Table:
    """Return what ``build`` makes of facts, by its name where it was made before.

    Called on facts of the same shape, with the same ``what`` and other ``instants``, ``build``
    has to return the same beside the instants: ``what`` holds everything else it depends on.
    A number among them is an import's. ``beside`` are tables that the engine was brought.
    Where the facts are no tables of an engine that names queries, it is built each time.
    """
    basis = _basis_of(on) if isinstance(on, Facts) else on
    given = walk([*map(_literal, instants), *(table.op() for table in beside)])
    if basis is None or given is None or len(given.instants) < len(instants):
        return build()
    literals = dict(zip(basis.walk.instants, basis.walk.literals, strict=True))
    literals |= dict(zip(given.instants, given.literals, strict=True))
    texts, asked = tuple(literals), tuple(map(list(literals).index, given.instants))
    key = (what, basis.key, asked, tuple(given.numbers))
    query = _queries.find(key, texts)
    if query is None:
        made = _make(build(), texts, basis.source)
        if isinstance(made, ir.Table):
            return made
        query = _queries.keep(key, made)
    return NamedQuery(
        query.definition.name,
        schema=query.schema,
        source=basis.source,
        definition=query.definition,
        instants=tuple(literals.values()),
    ).to_expr()


def name_at(name: str, instants: Sequence[str]) -> str:
    """Return what the rows of a query as of some instants are called."""
    return " ".join((name, *instants))


def put_queries_before(text: str, expression: ir.Expr) -> str:
    """Return the SQL of a question with the queries it names before it."""
    queries = _find_queries(expression)
    if not queries:
        return text
    before = ", ".join(f'"{name}" AS ({query})' for name, query in queries.items())
    if found := re.match(r"WITH\s", text):
        return f"WITH {before}, {text[found.end() :]}"
    return f"WITH {before} {text}"


def _make(table: ir.Table, instants: tuple[str, ...], source: QueryWriter) -> _Query | ir.Table:
    """Return a table as a query; the table itself where it brings something along."""
    found = walk([table.op()])
    if found is None:
        return table
    name = f"query_{next(_numbers)}"
    before = _find_queries(table)
    text = split_at(instants, source.write_alone(table))
    texts = tuple((split_at(instants, one), split_at(instants, sql)) for one, sql in before.items())
    places = {one: place for place, one in enumerate(instants)}
    return _Query(
        instants,
        # What is no instant of the question has to be the same for every question.
        (tuple(found.numbers), tuple(places.get(one, one) for one in found.instants), texts, text),
        table.schema(),
        _Definition(name, (*texts, (split_at(instants, name_at(name, instants)), text))),
    )


def _find_queries(expression: ir.Expr) -> dict[str, str]:
    """Return the texts of the queries that an expression names, those first that others need."""
    found: dict[str, str] = {}
    for node in expression.op().find(NamedQuery):
        of = walk(node.instants)
        assert of is not None
        found.update(node.definition.write(tuple(of.instants)))
    return found


def _literal(at: datetime | date | int) -> ops.Literal:
    given = ibis.literal(at, type=INSTANT) if isinstance(at, datetime) else ibis.literal(at)
    return given.op()


def _basis_of(facts: Facts) -> Basis | None:
    """Return what facts are made of, found once for each."""
    held = vars(facts)
    if "_basis" not in held:
        held["_basis"] = _find_basis(facts)
    found: Basis | None = held["_basis"]
    return found


def _find_basis(facts: Facts) -> Basis | None:
    tables: list[ir.Table] = []
    others: list[Hashable] = []
    for one in fields(facts):
        value = getattr(facts, one.name)
        if isinstance(value, ir.Table):
            value = {one.name: value}
        if isinstance(value, Mapping):
            tables += value.values()
            value = tuple(value)
        others.append(value)
    return lay_basis([facts.orders, *tables], tuple(others))


def _source_of(tables: Sequence[ir.Table]) -> QueryWriter | None:
    sources = [leaf.source for leaf in tables[0].op().find(ops.DatabaseTable)]
    return sources[0] if sources and isinstance(sources[0], QueryWriter) else None
