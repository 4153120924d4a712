"""Makes of an opened file what its source asks for beside the columns it has.

Two columns read as one (``Date + Time``), what a file says by being that file
(``every row: no``), and rows of another kind left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import duckdb

from rekindle.facts.sources.presets.model import plain
from rekindle.facts.sources.raw import Raw
from rekindle.facts.sql import literal, quoted

EVERY, AND = "every row: ", " + "
FEW = 5


def with_made(raw: Raw, words: Iterable[str]) -> Raw:
    """Return ``raw`` with those of ``words`` as columns that are made of what it has."""
    made = {word: sql for word in words if (sql := _build(raw, word)) is not None}
    if not made:
        return raw
    if raw.is_json:
        patch = ", ".join(f"{literal(word)}, {sql}" for word, sql in made.items())
        cells = f"* replace (json_merge_patch(json, json_object({patch})) as json)"
    else:
        cells = "*, " + ", ".join(f"{sql} as {quoted(word)}" for word, sql in made.items())
    columns = {**raw.columns, **dict.fromkeys(made, "VARCHAR")}
    return replace(raw, relation=f"select {cells} from ({raw.relation})", columns=columns)


def _build(raw: Raw, word: str) -> str | None:
    """Return SQL for a word that names no column itself; None where it cannot be made."""
    if word in raw.columns:
        return None
    if word.startswith(EVERY):
        return literal(word.removeprefix(EVERY))
    known = {plain(name): name for name in raw.columns}
    parts = [known.get(plain(part)) for part in word.split(AND)]
    if len(parts) < 2 or raw.is_json or None in parts:
        return None
    cells = ", ".join(f"nullif(trim({quoted(part)}::varchar), '')" for part in parts if part)
    return f"nullif(concat_ws(' ', {cells}), '')"


def without_rows(
    con: duckdb.DuckDBPyConnection, raw: Raw, skip: Mapping[str, Sequence[str]]
) -> tuple[Raw, tuple[str, ...]]:
    """Return ``raw`` without the rows of another kind, and what to tell of them.

    ``skip`` says by column which words, in whatever it holds, make a row such a one; an
    empty word is an empty cell. Columns the file lacks make none.
    """
    known = {plain(name): name for name in raw.columns}
    told = []
    for column, words in skip.items():
        actual = known.get(plain(column))
        if actual is None or raw.is_json:
            continue
        cell = f"lower(coalesce(trim({quoted(actual)}::varchar), ''))"
        tests = [
            f"contains({cell}, {literal(word.lower())})" if word else f"{cell} = ''"
            for word in words
        ]
        other = " or ".join(tests)
        rows = con.execute(
            f"select {quoted(actual)}::varchar, count(*) from ({raw.relation}) where {other} "
            "group by 1 order by 2 desc, 1"
        ).fetchall()
        if rows:
            named = ", ".join(f"{value or 'nothing'} ({n:,})" for value, n in rows[:FEW])
            more = f" and {len(rows) - FEW} more" if len(rows) > FEW else ""
            told.append(
                f"{sum(n for _, n in rows):,} rows are left out, by their {actual}: {named}{more}"
            )
            raw = replace(raw, relation=f"select * from ({raw.relation}) where not ({other})")
    return raw, tuple(told)
