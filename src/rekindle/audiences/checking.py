"""Checks a predicate's tree: only known nodes, known columns, and one type on both sides.

Every kind of node that may stand in a predicate has its check here, with the parts it may
have; a node or a part that is not listed is refused. What fails is named together with
what would work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from sqlglot import exp

from rekindle.audiences.behaviours import BEHAVIOURS, event_of
from rekindle.audiences.literals import as_date, as_instant, as_number
from rekindle.errors import PredicateError
from rekindle.profiles import FAMILIES

NUMBERS = ("count", "money")
ALLOWED = (
    "a predicate compares columns by =, <>, <, <=, >, >=, in, between, like and is null, joined by "
    "and, or and not"
)
QUOTES = "\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}“”„\"' "
DEEPEST = 60
LARGEST, SMALLEST = 1e15, 1e-9  # beyond, engines disagree about what is too large
LONGEST_INTERVAL_DAYS = 36_500


def type_of_column(name: str) -> str | None:
    """Return the type a predicate knows a profile column by; None where there is none."""
    column = FAMILIES.by_column.get(name)
    if column is None:
        return None
    return "number" if column.type in NUMBERS else column.type


def words_of(name: str) -> frozenset[str]:
    """Return all that a text column can hold; empty where that is not known."""
    column = FAMILIES.by_column.get(name)
    return frozenset(column.words) if column else frozenset()


def type_of(node: exp.Expr | None, *, depth: int = 0) -> str:
    """Return the type of a node: flag, number, text, date or instant.

    Raises:
        PredicateError: it, or something below it, is not allowed or does not fit.
    """
    if depth > DEEPEST:
        raise PredicateError(f"the predicate is nested deeper than {DEEPEST} levels")
    if node is None:
        raise PredicateError("the predicate is not a condition: something is missing in it")
    rule = CHECKS.get(type(node))
    if rule is None or not {name for name, part in node.args.items() if part} <= rule.parts:
        if isinstance(node, exp.Null):
            raise PredicateError("nothing equals null; write IS NULL or IS NOT NULL")
        raise _refusal(node)
    return rule.check(node, depth + 1)


def _refusal(node: exp.Expr) -> PredicateError:
    return PredicateError(f"{_shown(node)!r} is not allowed in a predicate: {ALLOWED}")


def _column(node: exp.Column, depth: int) -> str:
    if node.table:
        raise PredicateError(f"write {node.name!r} without {node.table!r} before it")
    name = node.name.lower()
    if name in BEHAVIOURS:
        return "flag"
    if (found := type_of_column(name)) is not None:
        return found
    raise PredicateError(_unknown(node))


def _unknown(node: exp.Column) -> str:
    """Return what to say of a name that is no column: perhaps a text without its quotes."""
    word = node.name.strip(QUOTES)
    for name in _beside(node):
        words = sorted(words_of(name))
        near = get_close_matches(word.lower(), words, 1)
        if near or type_of_column(name) == "text":
            text = near[0] if near else word
            return f"{word!r} is no column; texts stand in straight quotes: {name} = '{text}'"
    if owner := next(
        (c.name for c in FAMILIES.by_column.values() if word.lower() in c.words), None
    ):
        return f"{word!r} is no condition; write {owner} = '{word.lower()}'"
    if near := get_close_matches(word.lower(), (*FAMILIES.names, *BEHAVIOURS), 1):
        return f"unknown column {node.name!r}; did you mean {near[0]!r}?"
    if word.strip("€£$ ")[:1].isdigit():
        return f"unknown column {node.name!r}; write amounts as plain numbers, like 500"
    return f"unknown column {node.name!r}; there are {', '.join(FAMILIES.names)}"


def _beside(node: exp.Column) -> list[str]:
    """Return the columns that a name is compared with."""
    around = node.parent
    while isinstance(around, exp.Paren | exp.Tuple):
        around = around.parent
    if not isinstance(around, exp.EQ | exp.NEQ | exp.In | exp.Like | exp.ILike):
        return []
    names = (one.name.lower() for one in around.iter_expressions() if isinstance(one, exp.Column))
    return [name for name in names if type_of_column(name) is not None]


def _deed(node: exp.Anonymous, depth: int) -> str:
    if str(node.this).lower() != "did":
        raise _refusal(node)
    if event_of(node) is None:
        raise PredicateError(
            "after did, name one event in quotes, in small letters, digits and _: "
            "did('cart_abandoned')"
        )
    return "flag"


def _literal(node: exp.Literal, depth: int) -> str:
    if node.is_string:
        return "text"
    try:
        size = abs(as_number(node))
    except ValueError as error:
        raise PredicateError(f"{node.this} is no number") from error
    if size > LARGEST or 0 < size < SMALLEST:
        raise PredicateError(f"{node.this} is too large or too small a number")
    return "number"


def _chain(node: exp.Connector, depth: int) -> str:
    for part in node.flatten(unnest=False):
        _condition(part, depth)
    return "flag"


def _negation(node: exp.Not, depth: int) -> str:
    return _condition(node.this, depth)


def _condition(node: exp.Expr, depth: int) -> str:
    if (found := type_of(node, depth=depth)) != "flag":
        raise PredicateError(f"{_shown(node)!r} is a {found}, not a condition; compare it")
    return found


def _equality(node: exp.Binary, depth: int) -> str:
    _one_type([node.this, node.expression], depth)
    _known_words(node.this, [node.expression])
    _known_words(node.expression, [node.this])
    return "flag"


def _order(node: exp.Binary, depth: int) -> str:
    _ordered(_one_type([node.this, node.expression], depth), node)
    return "flag"


def _between(node: exp.Between, depth: int) -> str:
    _ordered(_one_type([node.this, node.args["low"], node.args["high"]], depth), node)
    return "flag"


def _ordered(kind: str, node: exp.Expr) -> None:
    if kind in ("text", "flag"):  # engines sort letters each in their own way
        raise PredicateError(f"{_shown(node)!r} orders {kind}s; compare them by =, <>, IN or LIKE")


def _membership(node: exp.In, depth: int) -> str:
    if not node.expressions:
        raise PredicateError("after IN, list the values: tier in ('lapsed', 'dormant')")
    _one_type([node.this, *node.expressions], depth)
    _known_words(node.this, node.expressions)
    return "flag"


def _is(node: exp.Is, depth: int) -> str:
    found = type_of(node.this, depth=depth)
    if isinstance(node.expression, exp.Boolean) and found != "flag":
        raise PredicateError(f"{_shown(node.this)!r} is a {found}; it is never true or false")
    if not isinstance(node.expression, exp.Null | exp.Boolean):
        raise PredicateError("after IS, write null, true or false")
    return "flag"


def _likeness(node: exp.Binary, depth: int) -> str:
    if _one_type([node.this, node.expression], depth) != "text":
        raise PredicateError(f"{_shown(node.this)!r} is no text; LIKE compares texts")
    if not isinstance(node.expression, exp.Literal):
        raise PredicateError("after LIKE, write a pattern in quotes")
    if "\\" in node.expression.this:
        raise PredicateError("a pattern cannot hold a backslash; _ stands for any one character")
    return "flag"


def _arithmetic(node: exp.Binary, depth: int) -> str:
    left = type_of(node.this, depth=depth)
    if isinstance(node.expression, exp.Interval):
        _interval(node.expression)
        if left not in ("date", "instant") or not isinstance(node, exp.Add | exp.Sub):
            raise PredicateError("an interval can only be added to or taken from a date")
        return left
    right = type_of(node.expression, depth=depth)
    if (left, right) != ("number", "number"):
        raise PredicateError(f"{_shown(node)!r} reckons with {left} and {right}; only numbers do")
    return "number"


def _interval(node: exp.Interval) -> None:
    unit = str(node.args.get("unit") or "").lower().removesuffix("s")
    amount = node.this.this if isinstance(node.this, exp.Literal) else ""
    if unit != "day" or not (str(amount).isascii() and str(amount).isdigit()):
        raise PredicateError("write an interval in days: interval 30 days")
    if int(amount) > LONGEST_INTERVAL_DAYS:
        raise PredicateError(f"an interval has at most {LONGEST_INTERVAL_DAYS:,} days")


def _cast(node: exp.Cast, depth: int) -> str:
    kind = {"DATE": "date", "TIMESTAMP": "instant", "TIMESTAMPTZ": "instant"}.get(
        node.to.sql(dialect="duckdb")
    )
    if kind is None or not (isinstance(node.this, exp.Literal) and node.this.is_string):
        raise PredicateError("a cast is allowed for dates only: date '2024-05-31'")
    try:
        as_instant(node) if kind == "instant" else as_date(node)
    except ValueError as error:
        raise PredicateError(f"{node.this.this!r} is no {kind}; write 2024-05-31") from error
    return kind


def _text_function(node: exp.Func, depth: int) -> str:
    if type_of(node.this, depth=depth) != "text":
        raise PredicateError(f"{_shown(node)!r} needs a text")
    return "text"


def _coalesce(node: exp.Coalesce, depth: int) -> str:
    return _one_type([node.this, *node.expressions], depth)


def _number(node: exp.Expr, depth: int) -> str:
    if type_of(node.this, depth=depth) != "number":
        raise PredicateError(f"{_shown(node)!r} needs a number")
    return "number"


def _one_type(nodes: Sequence[exp.Expr], depth: int) -> str:
    """Return the type the nodes share; a text beside a date is read as a date."""
    found = [type_of(node, depth=depth) for node in nodes]
    kinds = set(found)
    if kinds in ({"date", "text"}, {"instant", "text"}, {"instant", "date"}) or len(kinds) == 3:
        wanted = "instant" if "instant" in kinds else "date"
        for node, kind in zip(nodes, found, strict=True):
            if kind != wanted:
                _reads_as(node, wanted)
        return wanted
    if len(kinds) > 1:
        sides = " and ".join(f"{_shown(n)} ({k})" for n, k in zip(nodes, found, strict=True))
        raise PredicateError(f"cannot compare {sides}; they are of different types")
    return found[0]


def _reads_as(node: exp.Expr, wanted: str) -> None:
    try:
        as_instant(node) if wanted == "instant" else as_date(node)
    except ValueError as error:
        hint = ", or compare days with a column that ends in _on" if wanted == "instant" else ""
        raise PredicateError(
            f"{_shown(node)} is compared with {'an' if wanted == 'instant' else 'a'} {wanted}; "
            f"write '2024-05-31'{hint}"
        ) from error


def _known_words(column: exp.Expr, values: Sequence[exp.Expr]) -> None:
    """Refuse a text a column can never hold: it would quietly match nobody."""
    words = words_of(column.name.lower()) if isinstance(column, exp.Column) else ()
    for value in values if words else []:
        if words and isinstance(value, exp.Literal) and value.this not in words:
            near = get_close_matches(value.this, words, 1)
            raise PredicateError(
                f"{column.name} is never {value.this!r}; "
                + (f"did you mean {near[0]!r}?" if near else f"it is {', '.join(sorted(words))}")
            )


def _shown(node: exp.Expr) -> str:
    return node.sql(dialect="duckdb")


@dataclass(frozen=True, slots=True)
class NodeRule:
    """How one kind of node is checked, and the parts it may have."""

    check: Callable[[Any, int], str]
    parts: frozenset[str]


def _rule(check: Callable[[Any, int], str], *parts: str) -> NodeRule:
    return NodeRule(check, frozenset(parts or ("this", "expression")))


CHECKS: Mapping[type[exp.Expr], NodeRule] = {
    exp.Column: _rule(_column, "this", "table"),
    exp.Literal: _rule(_literal, "this", "is_string"),
    exp.Boolean: _rule(lambda node, depth: "flag", "this"),
    exp.And: _rule(_chain),
    exp.Or: _rule(_chain),
    exp.Not: _rule(_negation, "this"),
    exp.Paren: _rule(lambda node, depth: type_of(node.this, depth=depth), "this"),
    exp.EQ: _rule(_equality),
    exp.NEQ: _rule(_equality),
    exp.GT: _rule(_order),
    exp.GTE: _rule(_order),
    exp.LT: _rule(_order),
    exp.LTE: _rule(_order),
    exp.Between: _rule(_between, "this", "low", "high"),
    exp.In: _rule(_membership, "this", "expressions"),
    exp.Is: _rule(_is),
    exp.Like: _rule(_likeness, "this", "expression", "negate"),
    exp.ILike: _rule(_likeness, "this", "expression", "negate"),
    exp.Add: _rule(_arithmetic),
    exp.Sub: _rule(_arithmetic),
    exp.Mul: _rule(_arithmetic),
    exp.Div: _rule(_arithmetic, "this", "expression", "safe"),
    exp.Neg: _rule(_number, "this"),
    exp.Abs: _rule(_number, "this"),
    exp.Cast: _rule(_cast, "this", "to"),
    exp.CurrentDate: _rule(lambda node, depth: "date", "-"),
    exp.Lower: _rule(_text_function, "this"),
    exp.Upper: _rule(_text_function, "this"),
    exp.Trim: _rule(_text_function, "this"),
    exp.Coalesce: _rule(_coalesce, "this", "expressions"),
    exp.Anonymous: _rule(_deed, "this", "expressions"),
}
