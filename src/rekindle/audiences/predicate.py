"""Reads an audience predicate: SQL text in, a checked syntax tree out.

The text is parsed, never pasted into a query, and what may stand in it is a short list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from rekindle.audiences.behaviours import behaviour_shown, event_of
from rekindle.audiences.checking import type_of
from rekindle.errors import PredicateError

LONGEST = 4_000
NEVER_STORED = re.compile("[\\x00\\ud800-\\udfff]")
CLAUSES = {"kind", "expressions", "where"}
BEFORE = "select 1 where "
# Slips that people make, each with what to write instead.
HINTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile("=>|=<"), "write >= or <="),
    (re.compile(r"\d,\d{3}\b"), "write numbers without separators, like 1000"),
    (re.compile(r"[€£$]\s*\d|\d\s*[€£$]"), "write amounts as plain numbers, like 500"),
    (re.compile(r"&&|\|\|"), "conditions are joined by and, or"),
    (
        re.compile(r"\d\s+(?:day|week|month|year)s?\b", re.IGNORECASE),
        "columns that end in _days are compared with plain numbers: silence_days > 30",
    ),
    (
        re.compile(r"\b(?:and|or|not|in|like|[<>=])\s*$", re.IGNORECASE),
        "something is missing at its end",
    ),
)


@dataclass(frozen=True, slots=True)
class Predicate:
    """A checked predicate: the profile columns and, by event, the behaviours it asks about."""

    text: str
    tree: exp.Expr
    columns: frozenset[str]
    behaviours: frozenset[str] = frozenset()


def parse_predicate(text: str, *, allow_behaviours: bool = False) -> Predicate:
    """Return the checked predicate written in ``text``.

    ``allow_behaviours`` lets it say what a person did since entering a journey.

    Raises:
        PredicateError: it does not parse, names an unknown column, mixes types, or uses
            SQL beyond comparisons, and/or/not, in, between, like, is null, arithmetic,
            lower/upper/trim/coalesce/abs and date or interval literals; or it names
            behaviours where they are not known.
    """
    if len(text) > LONGEST:
        raise PredicateError(f"the predicate has {len(text)} characters; at most {LONGEST}")
    if NEVER_STORED.search(text):
        raise PredicateError("the predicate holds a character that no database stores")
    tree = _parse(text)
    if (found := type_of(tree)) != "flag":
        raise PredicateError(
            f"{text!r} is a {found}, not a condition; compare it, like \"tier = 'lapsed'\""
        )
    behaviours = _behaviours(tree)
    if behaviours and not allow_behaviours:
        shown = next(iter(behaviours.values()))
        raise PredicateError(f"{shown} is known inside a journey's steps only")
    if behaviours and (length := len(tree.sql(dialect="duckdb"))) > LONGEST:
        raise PredicateError(
            f"the condition, written out, has {length} characters; at most {LONGEST}"
        )
    columns = (c.name.lower() for c in tree.find_all(exp.Column) if event_of(c) is None)
    return Predicate(text, tree, frozenset(columns), frozenset(behaviours))


def _behaviours(tree: exp.Expr) -> dict[str, str]:
    """Return the events a tree asks about, each as it is written."""
    found = {}
    for node in tree.find_all(exp.Column, exp.Anonymous):
        if (event := event_of(node)) is not None:
            found[event] = behaviour_shown(node)
    return found


def _parse(text: str) -> exp.Expr:
    if not text.strip():
        raise PredicateError("the predicate is empty; write one like \"tier = 'lapsed'\"")
    try:
        statements = sqlglot.parse(BEFORE + text, read="duckdb")
    except (SqlglotError, RecursionError) as error:
        place = getattr(error, "errors", None) or [{}]
        near = place[0].get("highlight")
        at = place[0].get("col")
        where = f" near {near!r}" if near else ""
        column = f" (character {at - len(BEFORE)})" if at and at > len(BEFORE) else ""
        raise PredicateError(f"{text!r} is not a condition{where}{column}{_hint(text)}") from error
    select = statements[0]
    if len(statements) > 1 or not isinstance(select, exp.Select) or _clauses(select) - CLAUSES:
        raise PredicateError(f"{text!r} holds more than one condition")
    condition: exp.Expr = select.args["where"].this
    return condition


def _hint(text: str) -> str:
    """Return the end of a message that says what to write instead, if that can be told."""
    if text.count("'") % 2:
        return "; a quote is not closed"
    if text.count("(") != text.count(")"):
        return (
            "; a bracket is not closed" if text.count("(") > text.count(")") else "; one ) too many"
        )
    return next((f"; {words}" for slip, words in HINTS if slip.search(text)), "")


def _clauses(select: exp.Select) -> set[str]:
    return {name for name, part in select.args.items() if part}
