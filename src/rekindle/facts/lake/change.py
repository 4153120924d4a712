"""The writes of one import, each a new version of a table that no snapshot names yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, Schema, write_deltalake
from deltalake.exceptions import DeltaError

from rekindle.errors import LakeError
from rekindle.facts.contracts import CONTRACTS, Contract
from rekindle.facts.lake.views import empty
from rekindle.facts.sql import first_line

OPERATION = "_operation"
# A merge writes every file anew that holds a row it changes. Exports come in order of time and
# what changes is recent, so of a large table few files of this size are touched.
FILE_BYTES = 16 * 1024 * 1024
FilesAt = Callable[[str, int | None], list[str]]


class Change:
    """The writes of one import. ``versions`` is the snapshot they will become."""

    def __init__(self, folder: Path, versions: dict[str, int], files_at: FilesAt) -> None:
        self._folder, self._files_at = folder, files_at
        self.versions = versions

    def files(self, table: str) -> list[str]:
        """Return the Parquet files of a table as this change has written it so far."""
        return self._files_at(table, self.versions.get(table))

    def append(self, table: str, rows: pa.RecordBatchReader) -> int:
        """Add rows whose keys the table does not hold; return how many there were."""
        self._settle(table)
        count = 0

        def counted() -> Iterator[pa.RecordBatch]:
            nonlocal count
            for batch in rows:
                count += batch.num_rows
                yield batch

        reader = pa.RecordBatchReader.from_batches(rows.schema, counted())
        with _writing(table):
            write_deltalake(self._path(table), reader, mode="append", target_file_size=FILE_BYTES)
        self._advance(table)
        return count

    def overwrite(self, table: str, rows: pa.Table) -> None:
        """Replace a small table."""
        self._settle(table)
        with _writing(table):
            write_deltalake(self._path(table), rows, mode="overwrite")
        self._advance(table)

    def merge(self, contract: Contract, rows: pa.RecordBatchReader) -> None:
        """Upsert rows by key; those whose ``_operation`` is ``delete`` are removed."""
        self._settle(contract.table)
        columns = [c.name for c in contract.columns]
        match = " and ".join(f"t.{key} = s.{key}" for key in contract.key)
        values = {name: f"s.{name}" for name in columns}
        with _writing(contract.table):
            (
                DeltaTable(self._path(contract.table))
                .merge(rows, match, source_alias="s", target_alias="t")
                .when_matched_delete(f"s.{OPERATION} = 'delete'")
                .when_matched_update(values)
                .when_not_matched_insert(values, predicate=f"s.{OPERATION} <> 'delete'")
                .execute()
            )
        self._advance(contract.table)

    def _settle(self, table: str) -> None:
        """Undo what an import that was killed left behind its snapshot."""
        path = self._path(table)
        if not DeltaTable.is_deltatable(path):
            return
        wanted = self.versions.get(table)
        if wanted is None:
            none = empty(CONTRACTS[table])
            write_deltalake(path, none, mode="overwrite", schema_mode="overwrite")
            return
        delta = DeltaTable(path)
        if delta.version() != wanted:
            delta.restore(wanted)
        _add_missing(delta, CONTRACTS[table])

    def _advance(self, table: str) -> None:
        self.versions[table] = DeltaTable(self._path(table)).version()

    def _path(self, table: str) -> str:
        return str(self._folder / table)


def _add_missing(delta: DeltaTable, contract: Contract) -> None:
    """Give a table that an earlier version wrote the columns its contract has gained."""
    held = {column.name for column in delta.schema().fields}
    wanted = Schema.from_arrow(contract.schema.to_pyarrow())
    if missing := [column for column in wanted.fields if column.name not in held]:
        delta.alter.add_columns(missing)


@contextmanager
def _writing(table: str) -> Iterator[None]:
    try:
        yield
    except (DeltaError, OSError) as error:
        raise LakeError(f"table {table} cannot be written: {first_line(error)}") from error
