"""What a family of profile columns is: one declaration, from which everything follows.

The profile of a day, the timeline of a replay, the words of a predicate, the values of
a template, the blanks and the reference page are all made from these declarations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import ibis.expr.types as ir

from rekindle.config import LifecycleSettings
from rekindle.facts import Facts

ColumnType = Literal["text", "count", "number", "money", "date", "instant", "flag"]
Measure = Callable[[ir.Table], ir.Value]
DTYPES: Mapping[ColumnType, str] = {
    "text": "string",
    "count": "int64",
    "number": "float64",
    "money": "decimal(38, 4)",
    "date": "date",
    "instant": "timestamp('UTC', 6)",
    "flag": "boolean",
}


@dataclass(frozen=True, slots=True)
class ProfileColumn:
    """One column of the profile. ``unit`` is empty where the type says it all.

    ``words`` are all values a text can have, where they are known. ``blank`` is the value
    for somebody the family has no data about. ``place`` orders the columns of the profile;
    those without one follow in the order of their families' names. What a covariate says is
    kept of everybody who enters a journey, so that reports can tell people apart by it: a text
    of few different values.
    """

    name: str
    type: ColumnType
    unit: str
    meaning: str
    words: tuple[str, ...] = ()
    blank: int | bool | None = None
    place: int | None = None
    is_covariate: bool = False


@dataclass(frozen=True, slots=True)
class OrderTally:
    """Aggregates over a customer's orders up to an instant.

    Each measure gets the orders with ``is_purchase``, ``purchase_at``, ``purchase_on``,
    ``is_new_day`` and ``day_before`` beside the contract's columns. It is used as an
    aggregate for one date and as a running window for many, so it has to be one of the
    aggregates an engine can also run over a window (sum, count, min, max, any). Of a day's
    purchases one is ``is_new_day``, no matter which.
    """

    measures: Mapping[str, Measure]


@dataclass(frozen=True, slots=True)
class CardTally:
    """Aggregates over a person's contact cards up to an instant, as with ``OrderTally``."""

    measures: Mapping[str, Measure]


@dataclass(frozen=True, slots=True)
class RowTally:
    """Aggregates over rows of any other table up to an instant.

    ``rows`` returns one row a happening, with ``customer_id`` and ``at``, the instant from
    which everything in the row was known. Rows at or after the date of a question are left
    out here, so a family cannot see its own future. ``newest`` are columns whose value is that
    of the newest row; then a customer has one row an instant.
    """

    rows: Callable[[Facts], ir.Table]
    measures: Mapping[str, Measure]
    newest: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Spells:
    """For what depends on the date of the question itself, beside what was known then.

    ``fold`` returns aggregates over the orders for one date, which it is told as a value of Ibis:
    what it builds has to be the same for every date. ``build`` returns spells for
    all dates, and ``join`` adds the columns to rows with ``customer_id``, ``as_of`` and
    ``as_of_on`` from those spells. Both ways give the same values.
    """

    fold: Callable[[ir.Table, ir.DateScalar], Mapping[str, ir.Value]]
    build: Callable[[Facts], ir.Table]
    join: Callable[[ir.Table, ir.Table], ir.Table]


@dataclass(frozen=True, slots=True)
class Layer:
    """For what takes more than an aggregate of orders.

    ``at_once`` adds the columns to one row a customer from facts cut at the date, and
    ``over_time`` to rows with ``customer_id`` and ``valid_from``, from all facts. Both ways
    give the same values.
    """

    at_once: Callable[[ir.Table, Facts], ir.Table]
    over_time: Callable[[ir.Table, Facts], ir.Table]


@dataclass(frozen=True, slots=True)
class Derivation:
    """Columns made of other families' columns, of ``as_of`` and of ``as_of_on``.

    ``build`` returns the table with the family's columns added. Everyone is in it at every
    date asked about, so a figure about all customers has to be grouped by ``as_of``.
    ``is_of_one_row`` says that a row's columns follow from that row alone, whoever else is in
    the table: where only some people are asked about, the others are left out beforehand.
    """

    build: Callable[[ir.Table, LifecycleSettings], ir.Table]
    is_of_one_row: bool = False


How = OrderTally | CardTally | RowTally | Spells | Layer | Derivation


def _is_always_known(facts: Facts) -> bool:
    return True


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """Profile columns that belong together, and how they come about.

    ``tables`` are the facts it reads. ``needs`` are columns of other families it is made
    of; ``may_use`` are such columns that are missing from the table where their own family
    has nothing to read. ``inner`` are columns it adds for other families that are not part
    of the profile. ``is_known`` says whether the facts hold what it reads; where they do
    not, its columns are blank and nothing is computed.
    """

    name: str
    meaning: str
    columns: tuple[ProfileColumn, ...]
    how: How
    tables: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    may_use: tuple[str, ...] = ()
    inner: tuple[str, ...] = ()
    is_known: Callable[[Facts], bool] = _is_always_known

    @property
    def makes(self) -> frozenset[str]:
        """Return the names of all columns it adds."""
        return frozenset((*(column.name for column in self.columns), *self.inner))
