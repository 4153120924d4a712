"""The lake: Delta tables in a folder or a bucket, changed together or not at all.

Each table is a Delta table. A manifest names the version of every table that belongs
together and is replaced whole at the end of an import, so a killed import leaves the
facts as they were; the next one rolls the strays back first.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import duckdb
from deltalake.exceptions import DeltaError

from rekindle.config import FactsSettings
from rekindle.errors import LakeError
from rekindle.facts.contracts import CONTRACTS
from rekindle.facts.lake.change import Change
from rekindle.facts.lake.compaction import tidy
from rekindle.facts.lake.manifest import (
    DamagedManifestError,
    Manifest,
    load_manifest,
    save_manifest,
)
from rekindle.facts.lake.mending import find_versions, open_table
from rekindle.facts.lake.storage import Folder, Storage
from rekindle.facts.lake.views import ADVICE
from rekindle.facts.sql import first_line

KEEP = timedelta(hours=1)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Snapshot:
    """The tables of a lake at the versions that belong together."""

    storage: Storage
    versions: dict[str, int]

    def files(self, table: str) -> list[str]:
        """Return the Parquet files that hold ``table``.

        Raises:
            LakeError: the table cannot be read.
        """
        version = self.versions.get(table)
        if version is None:
            return []
        try:
            return open_table(self.storage, table, version).file_uris()
        except (DeltaError, OSError) as error:
            raise LakeError(
                f"table {table} at {self.storage.uri(table)} cannot be read: "
                f"{first_line(error)}; {ADVICE}"
            ) from error

    def show(self, con: duckdb.DuckDBPyConnection) -> None:
        """Make the files readable in ``con``."""
        self.storage.show(con)


class Lake:
    """Delta tables, read and written as one snapshot.

    ``keep`` is how long the files of an older snapshot stay for whoever still reads it.
    """

    def __init__(self, storage: Storage | Path, *, keep: timedelta = KEEP) -> None:
        self.storage = Folder(storage) if isinstance(storage, Path) else storage
        self._keep = keep

    @classmethod
    def of(cls, settings: FactsSettings, base: Path) -> Lake:
        """Return the lake of a workspace in the folder ``base``."""
        return cls(_storage(settings.lake, base), keep=settings.keep)

    @property
    def folder(self) -> Path:
        """Return the folder of a lake that lies in one."""
        return Path(str(self.storage))

    @property
    def spill(self) -> Path:
        """Return the folder of this machine for what does not fit into memory."""
        return self.storage.spill

    def versions(self) -> dict[str, int]:
        """Return table → Delta version of the committed snapshot; empty before any import.

        Raises:
            LakeError: the manifest is damaged or of a newer format.
        """
        return dict(load_manifest(self.storage).versions)

    def snapshot(self) -> Snapshot:
        """Return the committed snapshot.

        Raises:
            LakeError: the manifest is damaged or of a newer format.
        """
        return Snapshot(self.storage, self.versions())

    def show(self, con: duckdb.DuckDBPyConnection) -> None:
        """Make the files readable in ``con``."""
        self.storage.show(con)

    def files(self, table: str) -> list[str]:
        """Return the Parquet files that hold ``table`` in the committed snapshot.

        Raises:
            LakeError: the table or one of its files is gone.
        """
        return self.snapshot().files(table)

    @contextmanager
    def change(self) -> Iterator[Change]:
        """Yield a change: its writes show together when the block ends, or never.

        Raises:
            BusyError: another process is importing.
        """
        with self.storage.hold():
            manifest, notes = self._take_up()
            change = Change(self.storage, dict(manifest.versions), keep=self._keep, notes=notes)
            change.mend()
            yield change
            change.compact()
            self._commit(change.versions, manifest.mark)
            self._tidy(change)

    def _commit(self, versions: Mapping[str, int], mark: str | None) -> None:
        save_manifest(self.storage, versions, mark)

    def _take_up(self) -> tuple[Manifest, list[str]]:
        """Return the manifest, or in place of one that is damaged or gone the tables as they stand.

        A lake begins with an empty one: what an import that was killed left behind is not shown.
        """
        try:
            manifest, harm = load_manifest(self.storage), "gone"
        except DamagedManifestError as error:
            manifest, harm = Manifest(mark=error.mark), "damaged"
        else:
            if manifest.mark is not None:
                return manifest, []
        if (found := find_versions(self.storage, CONTRACTS)) or harm == "damaged":
            note = f"the snapshot's manifest was {harm}; the tables were taken up as they stand"
            return Manifest(found, manifest.mark), [note]
        save_manifest(self.storage, {}, None)
        return load_manifest(self.storage), []

    def _tidy(self, change: Change) -> None:
        try:
            for table in change.touched:
                delta = change.open(table)
                # What somebody has gone ahead of may have dropped files that the snapshot needs.
                if delta is not None and delta.version() == change.versions[table]:
                    tidy(self.storage, table, delta, self._keep)
        except (DeltaError, OSError) as error:
            # The import is shown already; what could not be swept now will be next time.
            logger.warning("old files of the lake stay for now: %s", first_line(error))


def _storage(lake: str, base: Path) -> Storage:
    if "://" not in lake:
        return Folder(base / lake)
    from rekindle.facts.lake.bucket import Bucket

    return Bucket(lake, spill=base / "state" / ".spill")
