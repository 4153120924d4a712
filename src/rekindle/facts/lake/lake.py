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

import filelock
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from rekindle.errors import BusyError, LakeError
from rekindle.facts.lake.change import Change

MANIFEST = "snapshot.json"
LAKE_FORMAT = 1


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
            change = Change(self.folder, self.versions(), self.files_at)
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
