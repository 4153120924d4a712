"""What an order's state says of it: the words of shops and languages, one table.

A word that is not in the table is taken for a purchase and named, with its count, at every
import: most of such words are a shop's own steps of packing and sending.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import duckdb

from rekindle.facts.casting import build_text
from rekindle.facts.sources import Raw
from rekindle.facts.sql import literal
from rekindle.vocabulary import OrderState

TABLE = Path(__file__).with_name("states.toml")
PARTS = "parts"
FEW = 5


@dataclass(frozen=True, slots=True)
class States:
    """The states of one file: what each text means, and the texts nobody knows, with counts.

    ``guessed`` are texts of which only a part is a known word.
    """

    meanings: Mapping[str, OrderState] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    guessed: frozenset[str] = frozenset()

    @property
    def unknown(self) -> Mapping[str, int]:
        """Return the texts that no table knows, with the number of their rows."""
        return {text: n for text, n in self.counts.items() if text not in self.meanings}

    def build(self, column: str) -> str:
        """Return SQL for the meaning of ``column``; NULL where it has none, or is unknown."""
        found: dict[OrderState, list[str]] = {}
        for text, state in self.meanings.items():
            found.setdefault(state, []).append(literal(text))
        branches = [
            f"when {column} in ({', '.join(texts)}) then {literal(state)}"
            for state, texts in found.items()
        ]
        return f"case {' '.join(branches)} end" if branches else "null::varchar"

    def notes(self) -> list[str]:
        """Return what to tell of the texts that were guessed or are unknown."""
        told = []
        if self.unknown:
            told.append(
                f"{_listed(self.unknown)} no state of an order known here: taken as purchases; "
                'say what they are in the source, like states = {"…" = "cancelled"}'
            )
        for state in dict.fromkeys(self.meanings[text] for text in sorted(self.guessed)):
            texts = {t: self.counts[t] for t in self.guessed if self.meanings[t] == state}
            told.append(f"{_listed(texts)} taken as the state {state.replace('_', ' ')}")
        return told


NO_STATES = States()


def read_states(
    con: duckdb.DuckDBPyConnection, raw: Raw, column: str, own: Mapping[str, OrderState]
) -> States:
    """Return the states that a file's ``column`` holds; ``own`` are the source's words."""
    text = build_text(raw, column)
    rows = con.execute(
        f"select {text} as state, count(*) from ({raw.relation}) group by 1 "
        "having state is not null order by 2 desc, 1"
    ).fetchall()
    return sort_states(dict(rows), own)


def sort_states(counts: Mapping[str, int], own: Mapping[str, OrderState]) -> States:
    """Return what each of some texts means."""
    known = known_states()
    if any(text.isdigit() and int(text) > 1 for text in counts):  # a system's own numbers
        known = {word: state for word, state in known.items() if not word.isdigit()}
    words = {**known, **{plain_state(word): state for word, state in own.items()}}
    meanings: dict[str, OrderState] = {}
    guessed = set()
    for text in counts:
        plain = plain_state(text)
        state = words.get(plain)
        if state is None and (state := _by_part(plain)) is not None:
            guessed.add(text)
        if state is not None:
            meanings[text] = state
    return States(meanings, counts, frozenset(guessed))


@cache
def known_states() -> Mapping[str, OrderState]:
    """Return plain word → what it says of an order.

    Where two languages disagree, the first of the table counts.
    """
    found: dict[str, OrderState] = {}
    for state, groups in _table().items():
        if state != PARTS:
            for word in (word for group in groups.values() for word in group):
                found.setdefault(plain_state(word), OrderState(state))
    return found


def plain_state(text: str) -> str:
    """Return a state as it is compared: small letters without accents, single spaces."""
    bare = unicodedata.normalize("NFKD", text.casefold())
    kept = (c if c.isalnum() else " " for c in bare if not unicodedata.combining(c))
    return " ".join("".join(kept).split()).removeprefix("wc ")


def _by_part(plain: str) -> OrderState | None:
    for state, parts in _table()[PARTS].items():
        if any(plain_state(part) in plain for part in parts):
            return OrderState(state)
    return None


@cache
def _table() -> Mapping[str, Mapping[str, list[str]]]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


def _listed(counts: Mapping[str, int]) -> str:
    shown = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    names = ", ".join(f"{text!r} ({count:,})" for text, count in shown[:FEW])
    more = f" and {len(shown) - FEW:,} more" if len(shown) > FEW else ""
    return f"{names}{more} {'is' if len(shown) == 1 else 'are'}"
