"""Reads an audience predicate: SQL text in, a checked syntax tree out.

The text is parsed, never pasted into a query. Only the kinds of expression listed here
pass, every column has to be in the profile's catalogue, and both sides of a comparison
have to be of one type; what fails is named together with what would work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from rekindle.audiences.literals import as_date, as_instant
from rekindle.errors import PredicateError
from rekindle.profiles import COLUMNS

TYPES: Mapping[str, str] = {
    column.name: {"count": "number", "money": "number"}.get(column.type, column.type)
    for column in COLUMNS
}
ALLOWED: Mapping[str, frozenset[str]] = {
    "tier": frozenset(
        ("prospect", "new", "active", "at_risk", "lapsed", "dormant", "gone", "returned")
    ),
    "value_band": frozenset(("high", "middle", "low")),
}
COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div)
TEXT_FUNCTIONS = (exp.Lower, exp.Upper, exp.Trim)
LONGEST = 4_000
DEEPEST = 60


@dataclass(frozen=True, slots=True)
class Predicate:
    """A checked predicate. ``columns`` are the profile columns it asks about."""

    text: str
    tree: exp.Expression
    columns: frozenset[str]


def parse_predicate(text: str) -> Predicate:
    """Return the checked predicate written in ``text``.

    Raises:
        PredicateError: it does not parse, names an unknown column, mixes types, or uses
            SQL beyond comparisons, and/or/not, in, between, like, is null, arithmetic,
            lower/upper/trim/coalesce/abs and date or interval literals.
    """
    if len(text) > LONGEST:
        raise PredicateError(f"the predicate has {len(text)} characters; at most {LONGEST}")
    tree = _parse(text)
    if (found := _type_of(tree, text, depth=0)) != "flag":
        raise PredicateError(
            f"{text!r} is a {found}, not a condition; compare it, like \"tier = 'lapsed'\""
        )
    return Predicate(text, tree, frozenset(c.name.lower() for c in tree.find_all(exp.Column)))


def _parse(text: str) -> exp.Expression:
    if not text.strip():
        raise PredicateError("the predicate is empty; write one like \"tier = 'lapsed'\"")
    try:
        statements = sqlglot.parse(f"select 1 where {text}", read="duckdb")
    except (SqlglotError, RecursionError) as error:
        place = getattr(error, "errors", None) or [{}]
        near = place[0].get("highlight")
        raise PredicateError(
            f"{text!r} is not a condition" + (f" near {near!r}" if near else "")
        ) from error
    where = statements[0].find(exp.Where) if len(statements) == 1 and statements[0] else None
    select = statements[0]
    plain = isinstance(select, exp.Select) and {k for k, v in select.args.items() if v} <= {
        "kind",
        "expressions",
        "where",
    }
    if where is None or not plain:
        raise PredicateError(f"{text!r} holds more than one condition")
    condition: exp.Expression = where.this
    return condition


def _type_of(node: exp.Expression, text: str, *, depth: int) -> str:
    """Return the type of a node after checking everything below it."""
    if depth > DEEPEST:
        raise PredicateError(f"the predicate is nested deeper than {DEEPEST} levels")
    for kinds, check in _CHECKS:
        if isinstance(node, kinds):
            return check(node, text, depth + 1)
    raise PredicateError(
        f"{node.sql(dialect='duckdb')!r} is not allowed in a predicate; docs/reference/"
        "predicates.md lists what is"
    )


def _check_column(node: exp.Column, text: str, depth: int) -> str:
    if node.table:
        raise PredicateError(f"write {node.name!r} without {node.table!r} before it")
    name = node.name.lower()
    if name in TYPES:
        return TYPES[name]
    near = get_close_matches(name, TYPES, 1)
    hint = f"did you mean {near[0]!r}?" if near else "docs/reference/profile-columns.md lists all"
    raise PredicateError(f"unknown column {node.name!r}; {hint}")


def _check_literal(node: exp.Literal, text: str, depth: int) -> str:
    return "text" if node.is_string else "number"


def _check_logic(node: exp.Expression, text: str, depth: int) -> str:
    for child in (node.this, node.args.get("expression")):
        if child is not None and (found := _type_of(child, text, depth=depth)) != "flag":
            raise PredicateError(
                f"{child.sql(dialect='duckdb')!r} is a {found}, not a condition; compare it"
            )
    return "flag"


def _check_comparison(node: exp.Expression, text: str, depth: int) -> str:
    _one_type([node.this, node.expression], text, depth)
    _check_words(node.this, [node.expression])
    _check_words(node.expression, [node.this])
    return "flag"


def _check_between(node: exp.Between, text: str, depth: int) -> str:
    _one_type([node.this, node.args["low"], node.args["high"]], text, depth)
    return "flag"


def _check_in(node: exp.In, text: str, depth: int) -> str:
    if node.args.get("query") is not None or not node.expressions:
        raise PredicateError("after IN, list the values: tier in ('lapsed', 'dormant')")
    _one_type([node.this, *node.expressions], text, depth)
    _check_words(node.this, node.expressions)
    return "flag"


def _check_is(node: exp.Is, text: str, depth: int) -> str:
    _type_of(node.this, text, depth=depth)
    if not isinstance(node.expression, exp.Null | exp.Boolean):
        raise PredicateError("after IS, write null, true or false")
    return "flag"


def _check_like(node: exp.Expression, text: str, depth: int) -> str:
    if _one_type([node.this, node.expression], text, depth) != "text":
        raise PredicateError(f"{node.this.sql()!r} is no text; LIKE compares texts")
    if not isinstance(node.expression, exp.Literal):
        raise PredicateError("after LIKE, write a pattern in quotes")
    return "flag"


def _check_arithmetic(node: exp.Expression, text: str, depth: int) -> str:
    left = _type_of(node.this, text, depth=depth)
    if isinstance(node.expression, exp.Interval):
        _check_interval(node.expression)
        if left not in ("date", "instant") or not isinstance(node, exp.Add | exp.Sub):
            raise PredicateError("an interval can only be added to or taken from a date")
        return left
    right = _type_of(node.expression, text, depth=depth)
    if (left, right) != ("number", "number"):
        raise PredicateError(
            f"{node.sql(dialect='duckdb')!r} reckons with {left} and {right}; only numbers do"
        )
    return "number"


def _check_interval(node: exp.Interval) -> None:
    unit = str(node.args.get("unit") or "").lower().rstrip("s")
    amount = node.this
    if not isinstance(amount, exp.Literal) or not str(amount.this).isdigit() or unit != "day":
        raise PredicateError("write an interval in days: interval 30 days")


def _check_cast(node: exp.Cast, text: str, depth: int) -> str:
    kind = {"DATE": "date", "TIMESTAMP": "instant", "TIMESTAMPTZ": "instant"}.get(
        node.to.sql(dialect="duckdb").split("(")[0]
    )
    if kind is None or not (isinstance(node.this, exp.Literal) and node.this.is_string):
        raise PredicateError("a cast is allowed for dates only: date '2024-05-31'")
    try:
        as_instant(node) if kind == "instant" else as_date(node)
    except ValueError as error:
        raise PredicateError(f"{node.this.this!r} is no {kind}; write 2024-05-31") from error
    return kind


def _check_today(node: exp.Expression, text: str, depth: int) -> str:
    return "date"


def _check_text_function(node: exp.Expression, text: str, depth: int) -> str:
    if _type_of(node.this, text, depth=depth) != "text":
        raise PredicateError(f"{node.sql(dialect='duckdb')!r} needs a text")
    return "text"


def _check_coalesce(node: exp.Coalesce, text: str, depth: int) -> str:
    return _one_type([node.this, *node.expressions], text, depth)


def _check_number(node: exp.Expression, text: str, depth: int) -> str:
    if _type_of(node.this, text, depth=depth) != "number":
        raise PredicateError(f"{node.sql(dialect='duckdb')!r} needs a number")
    return "number"


def _one_type(nodes: list[exp.Expression], text: str, depth: int) -> str:
    """Return the type the nodes share; a text beside a date is read as a date."""
    found = [_type_of(node, text, depth=depth) for node in nodes]
    kinds = set(found)
    when = kinds & {"date", "instant"}
    if when and kinds <= {"date", "instant", "text"}:
        for node, kind in zip(nodes, found, strict=True):
            if kind == "text":
                _check_date_text(node, as_instant if "instant" in when else as_date)
        return when.pop()
    if len(kinds) > 1:
        shown = " and ".join(
            f"{n.sql(dialect='duckdb')} ({k})" for n, k in zip(nodes, found, strict=True)
        )
        raise PredicateError(f"cannot compare {shown}; they are of different types")
    return found[0]


def _check_date_text(node: exp.Expression, read: Callable[[exp.Expression], object]) -> None:
    try:
        read(node)
    except (ValueError, TypeError) as error:
        raise PredicateError(
            f"{node.sql(dialect='duckdb')} is compared with a date; write '2024-05-31'"
        ) from error


def _check_words(column: exp.Expression, values: list[exp.Expression]) -> None:
    """Refuse a text a column can never hold: it would quietly match nobody."""
    words = ALLOWED.get(column.name.lower()) if isinstance(column, exp.Column) else None
    for value in values:
        if words is None:
            return
        if isinstance(value, exp.Literal) and value.is_string and value.this not in words:
            near = get_close_matches(value.this, words, 1)
            raise PredicateError(
                f"{column.name} is never {value.this!r}; "
                + (f"did you mean {near[0]!r}?" if near else f"it is {', '.join(sorted(words))}")
            )


Check = Callable[[Any, str, int], str]
_CHECKS: tuple[tuple[Any, Check], ...] = (
    (exp.Column, _check_column),
    (exp.Literal, _check_literal),
    (exp.Boolean, lambda node, text, depth: "flag"),
    ((exp.And, exp.Or, exp.Not), _check_logic),
    (exp.Paren, lambda node, text, depth: _type_of(node.this, text, depth=depth)),
    (COMPARISONS, _check_comparison),
    (exp.Between, _check_between),
    (exp.In, _check_in),
    (exp.Is, _check_is),
    ((exp.Like, exp.ILike), _check_like),
    (ARITHMETIC, _check_arithmetic),
    (exp.Neg, _check_number),
    (exp.Abs, _check_number),
    (exp.Cast, _check_cast),
    (exp.CurrentDate, _check_today),
    (TEXT_FUNCTIONS, _check_text_function),
    (exp.Coalesce, _check_coalesce),
)
