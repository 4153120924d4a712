"""Lets the rows of one person be another's, whatever table they are in.

What must be unique stays so: a row that says what the other person's says already is
left where it is. The columns that make a row unique are read off the model, so that a
table keeps its promise when it gains one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connections
from django.db.models import Model, UniqueConstraint

from rekindle.journeys import order_signal
from rekindle.ledger import models
from rekindle.ledger.queries import Row, execute, ledger_errors, rows_of, written

CHUNK = 500
Pair = tuple[str, str]
"""Who is another person now, and whom."""

Moved = tuple[int, str]
"""The number of a row that came to another person, and whose it was."""


def move_rows(alias: str, model: type[Model], pairs: Sequence[Pair]) -> list[Moved]:
    """Let the rows of each first person be the second's; return which did."""
    found = _run(alias, _movable(model), rows_of(pairs))
    give_rows(alias, model, [(number, kept) for number, _, kept in found])
    return [(number, gone) for number, gone, _ in found]


def give_rows(alias: str, model: type[Model], owners: Sequence[tuple[int, str]]) -> None:
    """Let rows, by number, be of these persons."""
    if not owners:
        return
    table, column = model._meta.db_table, person_column(model)
    text = (
        f"UPDATE {table} AS t SET {column} = r.person "
        "FROM ROWS(number bigint, person text) AS r WHERE t.id = r.number"
    )
    _run(alias, text, rows_of(owners), reads=False)


def name_orders(alias: str, numbers: Sequence[int]) -> None:
    """Let purchases that came to another person go by that one's key.

    An order that the person has by the same key already stays under its old one, which
    says the same: it is one purchase, seen twice.
    """
    rows = models.Signal.objects.using(alias).filter(kind="order").exclude(subject="")
    for start in range(0, len(numbers), CHUNK):
        own = rows.filter(pk__in=numbers[start : start + CHUNK])
        wanted = {
            order_signal(one.person_id, one.at, one.source, one.subject).key: one.pk
            for one in own.only("pk", "person_id", "at", "source", "subject")
        }
        known = models.Signal.objects.using(alias).filter(key__in=wanted)
        taken = set(known.values_list("key", flat=True))
        renamed = [(number, key) for key, number in wanted.items() if key not in taken]
        if renamed:
            execute(alias, "rename_signals", rows_of(renamed))


def person_column(model: type[Model]) -> str:
    """Return the column by which a table says whose a row is."""
    return _column(model, "person")


def _column(model: type[Model], name: str) -> str:
    return next(str(one.column) for one in model._meta.concrete_fields if one.name == name)


def _movable(model: type[Model]) -> str:
    table, column = model._meta.db_table, person_column(model)
    apart = [
        [_column(model, name) for name in one.fields if name != "person"]
        for one in model._meta.constraints
        if isinstance(one, UniqueConstraint) and "person" in one.fields
    ]
    same = " ".join(
        f"AND NOT EXISTS (SELECT 1 FROM {table} AS o WHERE o.{column} = r.kept "
        + "".join(f"AND o.{name} = t.{name} " for name in names)
        + ")"
        for names in apart
    )
    others = ", ".join(["r.kept", *(f"t.{name}" for names in apart for name in names)])
    number = f"row_number() OVER (PARTITION BY {others} ORDER BY t.id)" if apart else "1"
    return (
        f"SELECT m.id, m.gone, m.kept FROM (SELECT t.id, r.gone, r.kept, {number} AS place "
        f"FROM ROWS(gone text, kept text) AS r JOIN {table} AS t ON t.{column} = r.gone "
        f"WHERE true {same}) AS m WHERE m.place = 1 ORDER BY m.id"
    )


def _run(alias: str, text: str, *parameters: Any, reads: bool = True) -> list[Row]:
    connection = connections[alias]
    with ledger_errors(), connection.cursor() as cursor:
        cursor.execute(written(text, connection.vendor), parameters)
        return list(cursor.fetchall()) if reads else []
