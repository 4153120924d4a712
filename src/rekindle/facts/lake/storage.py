"""Where a lake lies: a folder of this machine, said in a few verbs a bucket knows as well."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import duckdb
import filelock

from rekindle.errors import BusyError


class Storage(Protocol):
    """The files of a lake. Names are relative to it, with slashes.

    ``is_exclusive`` says that ``hold`` keeps every other writer out. Where it cannot,
    whoever saves the manifest on the condition that it is the one they read, wins.
    ``spill`` is a folder of this machine for what does not fit into memory.
    """

    is_exclusive: bool
    spill: Path

    def uri(self, table: str) -> str:
        """Return the address of a table, as Delta and DuckDB know it."""

    def options(self) -> dict[str, str] | None:
        """Return what Delta needs to reach it."""

    def load(self, name: str) -> tuple[bytes, str] | None:
        """Return a file and a mark of this very content; None if there is none."""

    def save(self, name: str, data: bytes, mark: str | None) -> None:
        """Replace a file whole; ``mark`` is of what was loaded, None for nothing.

        Raises:
            BusyError: it has become another meanwhile.
        """

    def sizes(self, table: str) -> Mapping[str, int]:
        """Return the data files that are there, each with its bytes."""

    def remove(self, table: str, file: str) -> None:
        """Delete a data file; one that is gone already is no trouble."""

    def set_aside(self, name: str) -> str | None:
        """Move a damaged file or table out of the way; return where, None if it cannot be."""

    def hold(self) -> AbstractContextManager[None]:
        """Keep other writers out, as far as it goes.

        Raises:
            BusyError: one is writing.
        """

    def show(self, con: duckdb.DuckDBPyConnection) -> None:
        """Make its files readable in ``con``."""


class Folder:
    """A folder on this machine, or one that is mounted."""

    is_exclusive = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self.spill = path / ".spill"

    def __str__(self) -> str:
        return str(self._path)

    def uri(self, table: str) -> str:
        """Return the table's folder."""
        return str(self._path / table)

    def options(self) -> None:
        """Return nothing: a folder needs no key."""

    def load(self, name: str) -> tuple[bytes, str] | None:
        """Return a file; a folder's marks say nothing, for its writers are alone."""
        try:
            return (self._path / name).read_bytes(), ""
        except FileNotFoundError:
            return None

    def save(self, name: str, data: bytes, mark: str | None) -> None:
        """Replace a file in one rename, so that a killed import leaves the old one."""
        fresh = self._path / f"{name}.new"
        with fresh.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path / name)

    def sizes(self, table: str) -> dict[str, int]:
        """Return the data files of a table's folder."""
        with os.scandir(self._path / table) as found:
            return {one.name: one.stat().st_size for one in found if one.is_file()}

    def remove(self, table: str, file: str) -> None:
        """Delete a data file."""
        (self._path / table / file).unlink(missing_ok=True)

    def set_aside(self, name: str) -> str:
        """Rename what is damaged, so that somebody may look at it."""
        path = self._path / name
        number = 1
        # Delta leaves alone what begins with a line; anything else it does not know is swept.
        while (aside := path.with_name(f"_damaged-{number}-{path.name}")).exists():
            number += 1
        path.rename(aside)
        return str(aside)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Lock the folder for as long as the block lasts."""
        self._path.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(self._path / ".lock", timeout=0)
        try:
            lock.acquire()
        except filelock.Timeout as error:
            raise BusyError(f"another import is writing to {self}; wait for it") from error
        try:
            yield
        finally:
            lock.release()

    def show(self, con: duckdb.DuckDBPyConnection) -> None:
        """Do nothing: DuckDB reads folders."""
