"""Finds conditions that nobody can ever meet, by their words alone.

A branch nobody can take is a mistake in a journey, and is better found when the file is
read. The condition is split into cases, each a list of claims about columns; a condition
whose every case contradicts itself is never true. What is not understood claims nothing,
so the answer "never" is always right and its absence says nothing.
"""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlglot import exp

from rekindle.audiences.behaviours import event_of
from rekindle.audiences.checking import type_of_column, words_of
from rekindle.audiences.literals import as_date, as_instant, constant
from rekindle.audiences.predicate import parse_predicate

MOST_CASES = 256
LOWER, UPPER = (">", ">="), ("<", "<=")
OPPOSITE = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
MIRRORED = {"=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
SIGNS: Mapping[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
HOLDS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda value, values: value in values,
    "not in": lambda value, values: value not in values,
}


@dataclass(frozen=True, slots=True)
class Claim:
    """What a case says of one column or behaviour, like ``orders_count`` ``>`` 5.

    ``sign`` is a comparison, ``in``, ``not in``, ``known`` or ``unknown``.
    """

    about: str
    sign: str
    value: Any = None


Case = tuple[Claim, ...]


@lru_cache(maxsize=1024)
def is_never(text: str) -> bool:
    """Return whether the condition ``text`` can be true for nobody, by its own words.

    False also where that cannot be told.

    Raises:
        PredicateError: it is no condition.
    """
    tree = parse_predicate(text, allow_behaviours=True).tree
    cases = _cases(tree, wanted=True)
    return cases is not None and not cases


def _cases(node: exp.Expr, *, wanted: bool) -> list[Case] | None:
    """Return the possible cases in which a condition is ``wanted``; None for too many."""
    if isinstance(node, exp.Paren):
        return _cases(node.this, wanted=wanted)
    if isinstance(node, exp.Not):
        return _cases(node.this, wanted=not wanted)
    if isinstance(node, exp.And | exp.Or):
        parts = [_cases(part, wanted=wanted) for part in node.flatten(unnest=False)]
        return _all_of(parts) if isinstance(node, exp.And) is wanted else _any_of(parts)
    if isinstance(node, exp.Boolean):
        return [()] if bool(node.this) is wanted else []
    case = _claims(node, wanted=wanted)
    return [] if _is_contradiction(case) else [case]


def _any_of(parts: Iterable[list[Case] | None]) -> list[Case] | None:
    found: list[Case] = []
    for cases in parts:
        if cases is None or len(found) + len(cases) > MOST_CASES:
            return None
        found += cases
    return found


def _all_of(parts: Iterable[list[Case] | None]) -> list[Case] | None:
    """Return the cases in which every part holds; one too many-sided claims nothing."""
    found: list[Case] = [()]
    for cases in parts:
        if cases is None or len(found) * len(cases) > MOST_CASES:
            continue
        both = (one + other for one in found for other in cases)
        found = [case for case in both if not _is_contradiction(case)]
    return found


def _claims(node: exp.Expr, *, wanted: bool) -> Case:
    """Return what it says of columns that a single condition is ``wanted``."""
    if (about := _subject(node)) is not None:
        return (Claim(about, "=", wanted),)
    if (sign := SIGNS.get(type(node))) is not None:
        return _comparison(node, sign if wanted else OPPOSITE[sign])
    about = _subject(node.this) if isinstance(node.this, exp.Expr) else None
    if about is None:
        return ()
    if isinstance(node, exp.Is):
        return _being(node, about, wanted=wanted)
    known = Claim(about, "known")
    if isinstance(node, exp.In):
        values = [_value(choice, about) for choice in node.expressions]
        claim = Claim(about, "in" if wanted else "not in", frozenset(values))
        return (known,) if None in values else (claim,)
    if isinstance(node, exp.Between) and wanted:
        low, high = (_value(node.args[end], about) for end in ("low", "high"))
        ends = ((">=", low), ("<=", high))
        return (known, *(Claim(about, sign, end) for sign, end in ends if end is not None))
    return (known,) if isinstance(node, exp.Between | exp.Like | exp.ILike) else ()


def _comparison(node: exp.Expr, sign: str) -> Case:
    for one, other, read in (
        (node.this, node.expression, sign),
        (node.expression, node.this, MIRRORED[sign]),
    ):
        about = _subject(one)
        value = None if about is None else _value(other, about)
        if about is not None and value is not None:
            return (Claim(about, read, value),)
    left, right = constant(node.this), constant(node.expression)
    if left is None or type(left) is not type(right):
        return ()
    # A comparison of constants is no claim when it holds, and an impossible one when not.
    return () if HOLDS[sign](left, right) else (Claim("", "in", frozenset()),)


def _being(node: exp.Is, about: str, *, wanted: bool) -> Case:
    if isinstance(node.expression, exp.Null):
        return (Claim(about, "unknown" if wanted else "known"),)
    # What is not true may be false or unknown.
    return (Claim(about, "=", constant(node.expression)),) if wanted else ()


def _subject(node: exp.Expr) -> str | None:
    """Return what a claim can be about: a column's name, or a behaviour's event."""
    node = node.unnest()
    if (event := event_of(node)) is not None:
        return f"did {event}"
    return node.name.lower() if isinstance(node, exp.Column) else None


def _value(node: exp.Expr, about: str) -> Any:
    """Return a constant as the type of what it is compared with; None if it is none."""
    kind = type_of_column(about) or "flag"
    try:
        if kind == "date":
            return as_date(node)
        return as_instant(node) if kind == "instant" else constant(node)
    except ValueError:
        return None


def _is_contradiction(case: Case) -> bool:
    by_subject: dict[str, list[Claim]] = defaultdict(list)
    for claim in case:
        by_subject[claim.about].append(claim)
    return any(_contradict(about, claims) for about, claims in by_subject.items())


def _contradict(about: str, claims: list[Claim]) -> bool:
    is_unknown = any(claim.sign == "unknown" for claim in claims)
    if is_unknown and any(claim.sign != "unknown" for claim in claims):
        return True
    compared = [claim for claim in claims if claim.sign in HOLDS]
    choices = _choices(about, compared)
    if choices is not None:
        return not any(all(_holds(claim, value) for claim in compared) for value in choices)
    lows = [claim for claim in compared if claim.sign in LOWER]
    highs = [claim for claim in compared if claim.sign in UPPER]
    return any(_is_apart(low, high) for low in lows for high in highs)


def _choices(about: str, compared: list[Claim]) -> frozenset[Any] | None:
    """Return the only values there can be, None where there are too many to list."""
    for claim in compared:
        if claim.sign in ("=", "in"):
            return frozenset((claim.value,)) if claim.sign == "=" else claim.value
    if not compared:
        return None
    if words := words_of(about):
        return words
    return frozenset((True, False)) if type_of_column(about) in (None, "flag") else None


def _holds(claim: Claim, value: Any) -> bool:
    return HOLDS[claim.sign](value, claim.value)


def _is_apart(low: Claim, high: Claim) -> bool:
    is_strict = ">" in (low.sign, high.sign) or "<" in (low.sign, high.sign)
    return bool(low.value > high.value or (low.value == high.value and is_strict))
