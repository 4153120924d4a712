"""The writes of one import, each a new version of a table that no snapshot names yet."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Literal

import duckdb
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Schema, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.transaction import AddAction, RemoveAction

from rekindle.clock import SystemClock
from rekindle.errors import BusyError, LakeError
from rekindle.facts.contracts import CONTRACTS, Contract
from rekindle.facts.lake.compaction import FILE_BYTES, NO_HOOKS, compact, keeps_logs_for
from rekindle.facts.lake.mending import (
    FOUND_DAMAGED,
    find_damaged,
    open_table,
    set_aside_table,
)
from rekindle.facts.lake.storage import Storage
from rekindle.facts.lake.views import empty, name_of
from rekindle.facts.sql import first_and_last_line

# Every entry that an import writes to a table's log says which import it was.
IMPORT = "import"


class Change:
    """The writes of one import. ``versions`` is the snapshot they will become.

    ``notes`` tell what was damaged and how it was taken up. ``touched`` are the tables
    that were written to.
    """

    def __init__(
        self, storage: Storage, versions: dict[str, int], *, keep: timedelta, notes: list[str]
    ) -> None:
        self.storage, self.versions, self.notes = storage, versions, notes
        self.touched: set[str] = set()
        self._token = secrets.token_hex(8)
        self._commit = CommitProperties(custom_metadata={IMPORT: self._token})
        self._properties = keeps_logs_for(keep)
        self._newest: dict[str, int] = {}
        self._opened: dict[str, DeltaTable] = {}

    def files(self, table: str) -> list[str]:
        """Return the Parquet files of a table as this change has written it so far."""
        version = self.versions.get(table)
        if version is None:
            return []
        delta = self._opened.get(table)
        if delta is None or delta.version() != version:
            delta = open_table(self.storage, table, version)
        return delta.file_uris()

    def show(self, con: duckdb.DuckDBPyConnection) -> None:
        """Make the files readable in ``con``."""
        self.storage.show(con)

    def append(self, table: str, rows: pa.RecordBatchReader) -> int:
        """Add rows whose keys the table does not hold; return how many there were."""
        count = 0

        def counted() -> Iterator[pa.RecordBatch]:
            nonlocal count
            for batch in rows:
                count += batch.num_rows
                yield batch

        with self._writing(table):
            self._write(table, pa.RecordBatchReader.from_batches(rows.schema, counted()), "append")
        return count

    def overwrite(self, table: str, rows: pa.Table) -> None:
        """Replace a small table."""
        with self._writing(table):
            self._write(table, rows, "overwrite")

    def replace(self, table: str, files: Collection[str], rows: pa.RecordBatchReader) -> None:
        """Write rows, among them all that stays of some of the table's files, in place of these.

        No snapshot names the version in between, which holds both.
        """
        with self._writing(table):
            self._write(table, rows, "append")
            self._advance(table)
            self._remove_files(table, {name_of(file) for file in files})

    def delete(self, table: str, predicate: str) -> None:
        """Remove the rows of which a predicate of SQL is true."""
        if table not in self.versions:
            return
        with self._writing(table):
            self._newest_of(table).delete(
                predicate,
                commit_properties=self._commit,
                post_commithook_properties=NO_HOOKS,
            )

    def mend(self) -> None:
        """Take up every table of the snapshot that has lost something; tell in ``notes``."""
        for table, version in list(self.versions.items()):
            try:
                delta = open_table(self.storage, table, version)
                lost = find_damaged(self.storage, delta, table)
            except FOUND_DAMAGED as error:
                del self.versions[table]
                self.notes.append(set_aside_table(self.storage, table, error))
                continue
            self._opened[table] = delta
            if lost:
                self._mend_files(table, [file for file, is_there in lost.items() if is_there])
                self.notes.append(
                    f"{table}: {len(lost)} of its files were lost or damaged and left out; their "
                    "rows come again from the sources and from what was reported"
                )

    def compact(self) -> None:
        """Join the small files of the tables that were written to, where they are many."""
        for table in sorted(self.touched):
            with self._writing(table):
                compact(self._newest_of(table), self._commit)

    def _remove_files(self, table: str, names: Collection[str]) -> None:
        """Take files out of a table; for a time they stay for those who read an older snapshot."""
        delta, at = self._newest_of(table), SystemClock().now()
        removed: list[AddAction | RemoveAction] = [
            RemoveAction(
                row["path"],
                data_change=True,
                deletion_timestamp=int(at.timestamp() * 1000),
                size=row["size_bytes"],
            )
            for row in pa.table(delta.get_add_actions()).to_pylist()
            if row["path"] in names
        ]
        delta.create_write_transaction(
            removed,
            "append",
            delta.schema(),
            commit_properties=self._commit,
            post_commithook_properties=NO_HOOKS,
        )

    def _mend_files(self, table: str, damaged: list[str]) -> None:
        with self._writing(table):
            for file in damaged:
                if self.storage.set_aside(f"{table}/{file}") is None:
                    raise LakeError(
                        f"{self.storage.uri(table)}/{file} is damaged; restore it from a copy, "
                        "or delete it and run `rekindle import`"
                    )
            self._newest_of(table).repair(
                commit_properties=self._commit, post_commithook_properties=NO_HOOKS
            )

    def open(self, table: str) -> DeltaTable | None:
        """Return a table as it is by now, whoever wrote it; None if there is none.

        It is opened once: its log is read on from where it was read to.
        """
        delta = self._opened.get(table)
        if delta is not None:
            delta.update_incremental()
        elif DeltaTable.is_deltatable(self.storage.uri(table), self.storage.options()):
            delta = self._opened[table] = open_table(self.storage, table)
        return delta

    @contextmanager
    def _writing(self, table: str) -> Iterator[None]:
        """Settle a table, let it be written to, and see that nobody else did meanwhile."""
        try:
            self._settle(table)
            yield
            self._advance(table)
        except CommitFailedError as error:
            raise BusyError(f"another import is writing to {self.storage}; wait for it") from error
        except (DeltaError, OSError) as error:
            told = first_and_last_line(error)
            raise LakeError(f"table {table} of {self.storage} cannot be written: {told}") from error
        self.touched.add(table)

    def _settle(self, table: str) -> None:
        """Undo what an import that was killed left behind its snapshot."""
        delta = self.open(table)
        if delta is None:
            self._newest[table] = -1
            return
        if table in self._newest:
            self._require_alone(table, delta)
            return
        self._newest[table] = delta.version()
        wanted = self.versions.get(table)
        if wanted is None:
            self._write(table, empty(CONTRACTS[table]), "overwrite", new_schema=True)
            return
        if delta.version() != wanted:
            delta.restore(
                wanted,
                ignore_missing_files=True,
                commit_properties=self._commit,
                post_commithook_properties=NO_HOOKS,
            )
        self._add_missing(delta, CONTRACTS[table])
        if not self._properties.items() <= delta.metadata().configuration.items():
            delta.alter.set_table_properties(self._properties, commit_properties=self._commit)

    def _advance(self, table: str) -> None:
        delta = self._newest_of(table)
        self._require_alone(table, delta)
        self.versions[table] = self._newest[table] = delta.version()

    def _require_alone(self, table: str, delta: DeltaTable) -> None:
        """Refuse to go on where another import has written to the table.

        A version holds all before it: with another's entries among ours, the version that
        we show would show theirs.
        """
        count = delta.version() - self._newest[table]
        if self.storage.is_exclusive or not count:
            return
        if any(entry.get(IMPORT) != self._token for entry in delta.history(count)):
            raise BusyError(f"another import is writing to {self.storage}; wait for it")

    def _write(
        self,
        table: str,
        rows: pa.Table | pa.RecordBatchReader,
        mode: Literal["append", "overwrite"],
        *,
        new_schema: bool = False,
    ) -> None:
        write_deltalake(
            self._opened.get(table) or self.storage.uri(table),
            rows,
            mode=mode,
            schema_mode="overwrite" if new_schema else None,
            target_file_size=FILE_BYTES,
            storage_options=self.storage.options(),
            configuration=self._properties,
            commit_properties=self._commit,
            post_commithook_properties=NO_HOOKS,
        )

    def _add_missing(self, delta: DeltaTable, contract: Contract) -> None:
        """Give a table that an earlier version wrote the columns its contract has gained."""
        held = {column.name for column in delta.schema().fields}
        wanted = Schema.from_arrow(contract.schema.to_pyarrow())
        if missing := [column for column in wanted.fields if column.name not in held]:
            delta.alter.add_columns(missing, commit_properties=self._commit)

    def _newest_of(self, table: str) -> DeltaTable:
        delta = self.open(table)
        if delta is None:
            raise DeltaError("its log is gone")
        return delta
