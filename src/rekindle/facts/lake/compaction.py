"""Keeps the lake small: joins small files, and deletes what no snapshot in use holds."""

from __future__ import annotations

import json
import math
from datetime import timedelta

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties

from rekindle.facts.lake.storage import Storage

# Delta would write checkpoints and delete old logs at moments of its own, which may come
# before the manifest names the version that replaces what is deleted.
NO_HOOKS = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)
# An import writes every file anew that holds a row it changes. Exports come in order of time and
# what changes is recent, so of a large table few files of this size are touched.
FILE_BYTES = 8 * 1024 * 1024
SMALL_BYTES = FILE_BYTES // 4
MOST_SMALL_FILES = 8
VERSIONS_PER_CHECKPOINT = 10
HOUR = timedelta(hours=1)


def compact(delta: DeltaTable, commit: CommitProperties) -> None:
    """Join a table's small files when they have become many."""
    sizes = pa.table(delta.get_add_actions()).column("size_bytes").to_pylist()
    if sum(size < SMALL_BYTES for size in sizes) > MOST_SMALL_FILES:
        delta.optimize.compact(
            target_size=FILE_BYTES, commit_properties=commit, post_commithook_properties=NO_HOOKS
        )


def keeps_logs_for(keep: timedelta) -> dict[str, str]:
    """Return the properties of a table whose old versions stay readable for ``keep``."""
    return {"delta.logRetentionDuration": f"interval {_hours(keep)} hours"}


def tidy(storage: Storage, table: str, delta: DeltaTable, keep: timedelta) -> None:
    """Delete files that left a table more than ``keep`` ago, and old entries of its log.

    Where other writers cannot be kept out, what they have not committed yet is left alone,
    and an hour is the least.
    """
    # A dry run names the files; a real one would add versions to the table's log.
    gone = delta.vacuum(
        retention_hours=_hours(keep if storage.is_exclusive else max(keep, HOUR)),
        dry_run=True,
        enforce_retention_duration=False,
        full=storage.is_exclusive,
    )
    for file in gone:
        storage.remove(table, file)
    if delta.version() - _last_checkpoint(storage, table) >= VERSIONS_PER_CHECKPOINT:
        delta.create_checkpoint()
        delta.cleanup_metadata()


def _last_checkpoint(storage: Storage, table: str) -> int:
    found = storage.load(f"{table}/_delta_log/_last_checkpoint")
    return int(json.loads(found[0])["version"]) if found else 0


def _hours(keep: timedelta) -> int:
    return math.ceil(keep / HOUR)
