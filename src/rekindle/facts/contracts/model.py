"""What each table of facts holds: columns, types, key, required or not.

A contract is the one description of a table. Imports check rows against it, the lake
is created from it, a warehouse is read as it, and the reference page is printed from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import ibis
import ibis.expr.datatypes as dt

MONEY = "decimal(18, 4)"
INSTANT = "timestamp('UTC', 6)"
KINDS = {INSTANT: "date", MONEY: "number", "boolean": "yes or no"}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: an Ibis type, whether a row may lack it, and what it means.

    ``words`` are header words under which the column is known in exports.
    ``is_input`` is False for what the import itself works out.
    """

    name: str
    type: str
    meaning: str
    required: bool = False
    words: tuple[str, ...] = ()
    is_input: bool = True

    @property
    def kind(self) -> str:
        """Return what people call its type."""
        return KINDS.get(self.type, self.type)


@dataclass(frozen=True, slots=True)
class Contract:
    """One table: its columns in order, and the key a row is upserted by.

    ``extra_inputs`` are given by a source and kept elsewhere. ``is_bookkeeping`` is True
    for what the import writes about itself. ``known_at`` is the column that holds the
    instant from which a row was known; no question of an earlier date sees it. Without
    one, or where a row leaves it empty, the row was always known. ``is_optional`` is True
    for what not every business has: a warehouse may be without the table. ``hides_cards`` is
    True where a card's number might stand: such a row is refused, and quarantine masks it.
    Rows of a source that are alike in ``covers`` are one statement: what a file no longer names
    of it is taken out. Imports take out what was known longer ago than ``kept_for``. Rows about a
    ``customer_id`` who is erased go, unless it ``outlives_people``: what was bought and paid does.
    """

    table: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    extra_inputs: tuple[Column, ...] = field(default=())
    is_bookkeeping: bool = False
    known_at: str | None = None
    is_optional: bool = False
    hides_cards: bool = False
    covers: tuple[str, ...] = ()
    kept_for: timedelta | None = None
    outlives_people: bool = False

    @property
    def schema(self) -> ibis.Schema:
        """Return the table's Ibis schema."""
        return ibis.schema({column.name: dt.dtype(column.type) for column in self.columns})

    @property
    def is_personal(self) -> bool:
        """Return whether its rows go with the person they are about."""
        has_one = any(column.name == "customer_id" for column in self.columns)
        return has_one and not self.outlives_people

    @property
    def inputs(self) -> tuple[Column, ...]:
        """Return the columns a source may give, in the order they are looked for."""
        return tuple(c for c in self.columns if c.is_input) + self.extra_inputs
