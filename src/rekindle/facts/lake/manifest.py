"""The manifest: which version of every table belongs to the snapshot that is shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from rekindle.errors import LakeError
from rekindle.facts.lake.storage import Storage

MANIFEST = "snapshot.json"
LAKE_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """Table → Delta version, and the mark of the file that says so."""

    versions: Mapping[str, int] = field(default_factory=dict)
    mark: str | None = None


class DamagedManifestError(LakeError):
    """The manifest says nothing that can be understood; ``mark`` is of what it says."""

    def __init__(self, message: str, mark: str) -> None:
        super().__init__(message)
        self.mark = mark


def load_manifest(storage: Storage) -> Manifest:
    """Return the manifest; an empty one before any import.

    Raises:
        DamagedManifestError: it is damaged.
        LakeError: it is of a newer format.
    """
    found = storage.load(MANIFEST)
    if found is None:
        return Manifest()
    data, mark = found
    try:
        text = json.loads(data)
        version = int(text["format"])
        tables = {str(table): int(number) for table, number in text["tables"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedManifestError(
            f"{storage}/{MANIFEST} is damaged: {error}; run `rekindle import`, which takes "
            "the tables up as they stand and reads the sources again",
            mark,
        ) from error
    if version > LAKE_FORMAT:
        raise LakeError(
            f"{storage}/{MANIFEST} has format {version}, this version of rekindle knows "
            f"{LAKE_FORMAT}; upgrade rekindle"
        )
    return Manifest(tables, mark)


def save_manifest(storage: Storage, versions: Mapping[str, int], mark: str | None) -> None:
    """Show these versions from now on.

    Raises:
        BusyError: another import has shown its own since ``mark``.
    """
    text = json.dumps({"format": LAKE_FORMAT, "tables": dict(sorted(versions.items()))})
    storage.save(MANIFEST, text.encode(), mark)
