"""What a file holds, looked at before it is understood: values of all of it, and counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from rekindle.facts.casting import build_text
from rekindle.facts.proposing.amounting import AmountGuess, guess_amounts
from rekindle.facts.proposing.dating import DateGuess, guess_dates
from rekindle.facts.sources import Raw
from rekindle.facts.sql import literal, quoted

SAMPLE_ROWS = 5_000
MOST_VALUES = 300
SEED = 7
ENOUGH = 0.9  # of the values that are read, to take a column at once


@dataclass
class Survey:
    """An opened file with distinct values of every column, drawn from all of its rows.

    ``values`` are in order; ``filled`` counts the rows in which a column is not blank.
    """

    con: duckdb.DuckDBPyConnection
    raw: Raw
    rows: int
    values: Mapping[str, Sequence[str]]
    filled: Mapping[str, int]
    _dates: dict[str, DateGuess | None] = field(default_factory=dict)
    _amounts: dict[tuple[str, str], AmountGuess | None] = field(default_factory=dict)

    def dates(self, column: str) -> DateGuess | None:
        """Return how a column's dates are written, if it holds any."""
        if column not in self._dates:
            self._dates[column] = guess_dates(self.con, self.values[column])
        return self._dates[column]

    def amounts(self, column: str, usual: str = "") -> AmountGuess | None:
        """Return how a column's amounts are written, if it holds any."""
        key = (column, usual)
        if key not in self._amounts:
            self._amounts[key] = guess_amounts(
                self.con, self.values[column], header=column, usual=usual
            )
        return self._amounts[key]

    def text(self, column: str) -> str:
        """Return SQL for a column's cell as text."""
        return build_text(self.raw, column)

    def ask(self, columns: str, *, where: str = "true") -> tuple[Any, ...]:
        """Return one row of SQL expressions over the rows of the file."""
        sql = f"select {columns} from ({self.raw.relation}) where {where}"
        (row,) = self.con.execute(sql).fetchall()
        return tuple(row)


def survey(con: duckdb.DuckDBPyConnection, raw: Raw) -> Survey:
    """Return what a file holds."""
    names = list(raw.columns)
    texts = ", ".join(f"{build_text(raw, name)} as {quoted(name)}" for name in names)
    counts = ", ".join(f"count({build_text(raw, name)})" for name in names)
    rows, *filled = con.execute(
        f"select count(*){', ' * bool(names)}{counts} from ({raw.relation})"
    ).fetchall()[0]
    con.execute(
        f"create or replace temp table sampled as select {texts or '1'} from ("
        f"select * from ({raw.relation}) using sample reservoir({SAMPLE_ROWS} rows) "
        f"repeatable ({SEED}))"
    )
    values = {name: _values(con, name) for name in names}
    return Survey(con, raw, rows, values, dict(zip(names, filled, strict=True)))


def _values(con: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    found = con.execute(
        f"select v from (select distinct {quoted(name)} as v from sampled) where v is not null "
        f"order by hash(v || {literal(str(SEED))}) limit {MOST_VALUES}"
    ).fetchall()
    return sorted(value for (value,) in found)
