"""Takes up a lake that lost something: a manifest, a log, data files.

What is damaged is put aside, never deleted, and what can be read stays: the import that
follows brings back from the sources what they still hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from rekindle.errors import LakeError
from rekindle.facts.lake.storage import Storage
from rekindle.facts.sql import first_line

FOUND_DAMAGED = (DeltaError, OSError, ValueError)
UNREADABLE = -1


def find_versions(storage: Storage, tables: Iterable[str]) -> dict[str, int]:
    """Return the newest version of every table that is there, in place of a manifest."""
    found = {}
    for table in tables:
        try:
            if DeltaTable.is_deltatable(storage.uri(table), storage.options()):
                found[table] = open_table(storage, table).version()
        except FOUND_DAMAGED:
            found[table] = UNREADABLE  # put aside when the import comes to it
    return found


def open_table(storage: Storage, table: str, version: int | None = None) -> DeltaTable:
    """Return a table as of a version, the newest for None."""
    if version == UNREADABLE:
        raise DeltaError("its log cannot be read")
    return DeltaTable(storage.uri(table), version=version, storage_options=storage.options())


def find_damaged(storage: Storage, delta: DeltaTable, table: str) -> Mapping[str, bool]:
    """Return the data files a table has lost, and whether something stands in their place."""
    wanted = pa.table(delta.get_add_actions()).select(["path", "size_bytes"]).to_pylist()
    there = storage.sizes(table) if wanted else {}
    return {
        row["path"]: row["path"] in there
        for row in wanted
        if there.get(row["path"]) != row["size_bytes"]
    }


def set_aside_table(storage: Storage, table: str, error: Exception) -> str:
    """Put a table aside whose log cannot be read, if anything is left of it; return what to tell.

    Raises:
        LakeError: where it lies nothing can be put aside.
    """
    rows = "its rows come again from the sources and from what was reported"
    if _is_gone(storage, table):
        return f"{table}: the table was gone; {rows}"
    where = storage.set_aside(table)
    if where is None:
        raise LakeError(
            f"table {table} at {storage.uri(table)} cannot be read: {first_line(error)}; "
            "restore it from a copy, or delete it and run `rekindle import`"
        ) from error
    return f"{table}: the table's log was damaged; it was put aside as {where}, and {rows}"


def _is_gone(storage: Storage, table: str) -> bool:
    try:
        if storage.sizes(table):
            return False
    except FileNotFoundError:
        return True
    return not DeltaTable.is_deltatable(storage.uri(table), storage.options())
