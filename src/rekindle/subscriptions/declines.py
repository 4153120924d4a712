"""What a decline means: never again, perhaps later, or only with the owner at the screen.

The lists are data (``declines.toml``) and stand there with their sources. The same rule is
given twice, of one row and as an expression over many, from the same lists.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path

import ibis
import ibis.expr.types as ir

TABLE = Path(__file__).with_name("declines.toml")


class DeclineKind(StrEnum):
    """What may be done about a payment that failed."""

    HARD = "hard"
    """Never asked again with the same card; its owner is asked about it."""
    SOFT = "soft"
    """It may go through later."""
    AUTHENTICATION = "authentication"
    """The owner has to say yes to their bank; nobody else can."""
    UNKNOWN = "unknown"
    """The code is none that is known: treated as soft by nobody, asked about like hard."""


class AttemptOutcome(StrEnum):
    """What came of an attempt."""

    PAID = "paid"
    FAILED = "failed"
    OPEN = "open"
    UNKNOWN = "unknown"


def judge_decline(code: str | None, advice: str | None, network: str | None) -> DeclineKind:
    """Return what a decline means by its code, the provider's advice and the network's.

    The first that says never is right; else the provider's advice outranks the network's, and
    both the code.
    """
    found = [
        _kinds(part).get(_plain(text), DeclineKind.UNKNOWN)
        for part, text in (("advice", advice), ("network_advice", network), ("codes", code))
    ]
    if DeclineKind.HARD in found[:2]:
        return DeclineKind.HARD
    return next((kind for kind in found if kind is not DeclineKind.UNKNOWN), DeclineKind.UNKNOWN)


def build_decline(rows: ir.Table) -> ir.Value:
    """Return the ``DeclineKind`` of each row of ``payments``, as ``judge_decline`` does."""
    advice, network, code = (
        _plain_of(rows[name]) for name in ("advice_code", "network_advice_code", "decline_code")
    )
    hard = DeclineKind.HARD
    never = [
        (text.isin(words), hard.value)
        for text, part in ((advice, "advice"), (network, "network_advice"))
        if (words := _words(part, hard))
    ]
    others = [
        (text.isin(words), kind.value)
        for text, part in ((advice, "advice"), (network, "network_advice"), (code, "codes"))
        for kind in (hard, DeclineKind.SOFT, DeclineKind.AUTHENTICATION)
        if (words := _words(part, kind))
    ]
    return ibis.cases(*never, *others, else_=DeclineKind.UNKNOWN.value)


def build_outcome(rows: ir.Table) -> ir.Value:
    """Return the ``AttemptOutcome`` of each row of ``payments``, by the words of its system."""
    said = _plain_of(rows.outcome)
    found = ((said.isin(words), kind) for kind, words in _table()["outcomes"].items())
    return ibis.cases(*found, else_=AttemptOutcome.UNKNOWN.value)


def _plain(text: str | None) -> str:
    return re.sub(r"[\s-]+", "_", (text or "").strip().lower())


def _plain_of(text: ir.Value) -> ir.Value:
    return ibis.coalesce(text, "").strip().lower().re_replace(r"[\s-]+", "_")


def _words(part: str, kind: DeclineKind) -> list[str]:
    return list(_table()[part].get(kind.value, ()))


@cache
def _kinds(part: str) -> Mapping[str, DeclineKind]:
    return {word: DeclineKind(kind) for kind, words in _table()[part].items() for word in words}


@cache
def _table() -> Mapping[str, Mapping[str, list[str]]]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


def describe_declines() -> str:
    """Return the lists as Markdown, for the reference page."""
    titles = {
        "codes": "Decline codes",
        "advice": "What the provider advises",
        "network_advice": "What the card's network advises",
        "outcomes": "Outcomes of an attempt",
    }
    parts = []
    for part, title in titles.items():
        rows = [
            f"| {kind} | {', '.join(f'`{word}`' for word in sorted(words))} |"
            for kind, words in _table()[part].items()
            if words
        ]
        parts.append("\n".join((f"### {title}\n", "| taken as | words |\n|---|---|", *rows)))
    return "\n\n".join(parts) + "\n"
