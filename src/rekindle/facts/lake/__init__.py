"""The lake: Delta tables in a folder, changed together or not at all."""

from rekindle.facts.lake.change import Change
from rekindle.facts.lake.lake import Lake, Snapshot
from rekindle.facts.lake.views import (
    ADVICE,
    create_view,
    create_view_of_files,
    find_files_of,
    shaped,
)

__all__ = [
    "ADVICE",
    "Change",
    "Lake",
    "Snapshot",
    "create_view",
    "create_view_of_files",
    "find_files_of",
    "shaped",
]
