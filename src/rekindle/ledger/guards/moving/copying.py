"""Copies the tables of one ledger into another, and compares what arrived with what left."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connections
from django.db.models import AutoField, Model

from rekindle.errors import LedgerError
from rekindle.ledger.queries import ledger_errors

CHUNK = 5000
MODULUS = 2**256

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Digest:
    """How many rows there are, and the sum of their hashes, whatever their order."""

    rows: int = 0
    total: int = 0

    def with_row(self, row: Iterable[Any]) -> Digest:
        """Return the digest of one more row."""
        text = json.dumps([_even(value) for value in row], sort_keys=True, default=_plain)
        number = int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
        return Digest(self.rows + 1, (self.total + number) % MODULUS)


class Tables:
    """The tables of these models, in two ledgers of the same layout.

    ``target`` is PostgreSQL, inside a transaction of the caller's.
    """

    def __init__(self, models: Collection[type[Model]], *, source: str, target: str) -> None:
        self._models, self._source, self._target = models, source, target

    def empty_target(self) -> None:
        """Take away what the target holds, with the numbers it has given out."""
        names = ", ".join(self._quoted(model._meta.db_table) for model in self._models)
        with ledger_errors(), connections[self._target].cursor() as cursor:
            cursor.execute(f"TRUNCATE {names} RESTART IDENTITY")

    def copy(self, progress: Progress) -> int:
        """Copy every row of every table; return how many there were.

        Raises:
            LedgerError: the target refused a row, or holds something else than what left.
        """
        rows = 0
        for model in self._models:
            progress(f"copying {model._meta.db_table}")
            left = self._copy_table(model)
            self._go_on_counting(model)
            arrived = Digest()
            for row in self._rows(model, self._target):
                arrived = arrived.with_row(row)
            if arrived != left:
                raise LedgerError(
                    f"{model._meta.db_table} did not arrive as it left ({arrived.rows:,} of "
                    f"{left.rows:,} rows, or others); nothing was moved"
                )
            rows += left.rows
        return rows

    def _copy_table(self, model: type[Model]) -> Digest:
        connection, fields = connections[self._target], model._meta.concrete_fields
        names = ", ".join(self._quoted(str(field.column)) for field in fields)
        # Many times as quick as INSERT, and the server checks each row as it does there.
        command = f"COPY {self._quoted(model._meta.db_table)} ({names}) FROM STDIN"
        digest = Digest()
        with (
            ledger_errors(),
            connection.wrap_database_errors,
            connection.cursor() as cursor,
            cursor.copy(command) as copy,
        ):
            for row in self._rows(model, self._source):
                digest = digest.with_row(row)
                copy.write_row(
                    [
                        field.get_db_prep_save(value, connection)
                        for field, value in zip(fields, row, strict=True)
                    ]
                )
        return digest

    def _go_on_counting(self, model: type[Model]) -> None:
        """Let the target give out numbers where the source would have, never one again."""
        key = model._meta.pk
        if not isinstance(key, AutoField):
            return
        table = model._meta.db_table
        with ledger_errors():
            with connections[self._source].cursor() as cursor:
                cursor.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = %s", [table])
                (last,) = cursor.fetchone()
            if last:
                with connections[self._target].cursor() as cursor:
                    sequence = "pg_get_serial_sequence(%s, %s)"
                    cursor.execute(f"SELECT setval({sequence}, %s)", [table, key.column, last])

    def _rows(self, model: type[Model], alias: str) -> Iterator[tuple[Any, ...]]:
        names = [field.attname for field in model._meta.concrete_fields]
        rows = model._default_manager.using(alias).values_list(*names)
        with ledger_errors():
            yield from rows.iterator(chunk_size=CHUNK)

    def _quoted(self, name: str) -> str:
        return connections[self._target].ops.quote_name(name)


def _even(value: Any) -> Any:
    """Return a value with whole numbers written one way: JSON columns of the two differ."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _even(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_even(one) for one in value]
    return value


def _plain(value: Any) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)
