"""The lake: Delta tables in a folder, changed together or not at all.

Each table is a Delta table. A manifest names the version of every table that belongs
together and is replaced in one rename at the end of an import, so a killed import
leaves the facts as they were; the next one rolls the strays back first.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
import filelock
import pyarrow as pa
from deltalake import DeltaTable, Schema, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError

from rekindle.errors import BusyError, LakeError
from rekindle.facts.casting import sql_type
from rekindle.facts.contracts import CONTRACTS, Contract
from rekindle.facts.raw import first_line, literal, quoted

MANIFEST = "snapshot.json"
LAKE_FORMAT = 1
BATCH_ROWS = 262_144
OPERATION = "_operation"


class Lake:
    """Delta tables under ``folder``, read and written as one snapshot."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def versions(self) -> dict[str, int]:
        """Return table → Delta version of the committed snapshot; empty before any import.

        Raises:
            LakeError: the manifest is damaged or of a newer format.
        """
        path = self.folder / MANIFEST
        if not path.exists():
            return {}
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            version, tables = int(manifest["format"]), dict(manifest["tables"])
        except (ValueError, KeyError, TypeError) as error:
            raise LakeError(f"{path} is damaged: {error}; import the sources again") from error
        if version > LAKE_FORMAT:
            raise LakeError(
                f"{path} has format {version}, this version of rekindle knows {LAKE_FORMAT}; "
                "upgrade rekindle"
            )
        return tables

    def files(self, table: str) -> list[str]:
        """Return the Parquet files that hold ``table`` in the committed snapshot.

        Raises:
            LakeError: the table or one of its files is gone.
        """
        return self.files_at(table, self.versions().get(table))

    def files_at(self, table: str, version: int | None) -> list[str]:
        """Return the Parquet files of one version of a table; none for None."""
        if version is None:
            return []
        try:
            return DeltaTable(self._path(table), version=version).file_uris()
        except (DeltaError, TableNotFoundError, OSError) as error:
            raise LakeError(
                f"table {table} at {self._path(table)} cannot be read: {error}; "
                "delete the lake folder and import again"
            ) from error

    @contextmanager
    def change(self) -> Iterator[Change]:
        """Yield a change: its writes show together when the block ends, or never.

        Raises:
            BusyError: another process is importing.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(self.folder / ".lock", timeout=0)
        try:
            lock.acquire()
        except filelock.Timeout as error:
            raise BusyError(f"another import is writing to {self.folder}; wait for it") from error
        try:
            change = Change(self, self.versions())
            yield change
            self._commit(change.versions)
        finally:
            lock.release()

    def _commit(self, versions: Mapping[str, int]) -> None:
        text = json.dumps({"format": LAKE_FORMAT, "tables": dict(sorted(versions.items()))})
        fresh = self.folder / f"{MANIFEST}.new"
        with fresh.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.folder / MANIFEST)

    def _path(self, table: str) -> str:
        return str(self.folder / table)


class Change:
    """The writes of one import. ``versions`` is the snapshot they will become."""

    def __init__(self, lake: Lake, versions: dict[str, int]) -> None:
        self._lake = lake
        self.versions = versions

    def files(self, table: str) -> list[str]:
        """Return the Parquet files of a table as this change has written it so far."""
        return self._lake.files_at(table, self.versions.get(table))

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
            write_deltalake(self._path(table), reader, mode="append")
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
            empty = _empty(CONTRACTS[table])
            write_deltalake(path, empty, mode="overwrite", schema_mode="overwrite")
            return
        delta = DeltaTable(path)
        if delta.version() != wanted:
            delta.restore(wanted)
        _add_missing(delta, CONTRACTS[table])

    def _advance(self, table: str) -> None:
        self.versions[table] = DeltaTable(self._path(table)).version()

    def _path(self, table: str) -> str:
        return str(self._lake.folder / table)


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


def create_view(con: duckdb.DuckDBPyConnection, lake: Lake | Change, contract: Contract) -> None:
    """Make ``contract.table`` a view of the snapshot's rows in ``con``.

    A column the contract has gained since the rows were written is NULL.
    """
    files = lake.files(contract.table)
    if files:
        listed = ", ".join(literal(f) for f in files)
        relation = f"read_parquet([{listed}], union_by_name = true)"
    else:
        relation = f"empty_{contract.table}"
        con.register(relation, _empty(contract))
    try:
        body = f"select {_columns(con, relation, contract)} from {relation}"
        con.execute(f"create or replace view {contract.table} as {body}")
    except duckdb.IOException as error:
        raise LakeError(
            f"table {contract.table} has lost a file: {first_line(error)}; "
            "delete the lake folder and import again"
        ) from error


def _columns(con: duckdb.DuckDBPyConnection, relation: str, contract: Contract) -> str:
    """Return the contract's columns in SQL, NULL for those ``relation`` lacks."""
    held = {name for name, *_ in con.execute(f"describe select * from {relation}").fetchall()}
    return ", ".join(
        quoted(c.name) if c.name in held else f"null::{sql_type(c)} as {quoted(c.name)}"
        for c in contract.columns
    )


def shaped(rows: pa.Table, contract: Contract) -> pa.Table:
    """Return rows in the columns and types of a contract.

    Raises:
        LakeError: a column is missing, or a value does not fit its type.
    """
    schema = contract.schema.to_pyarrow()
    try:
        return rows.select(schema.names).cast(schema)
    except (pa.ArrowInvalid, KeyError) as error:
        raise LakeError(f"{contract.table} does not fit its contract: {error}") from error


def _empty(contract: Contract) -> pa.Table:
    return contract.schema.to_pyarrow().empty_table()
