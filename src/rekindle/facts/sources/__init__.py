"""Where facts are read from: kinds of files, and queries on a database."""

from rekindle.facts.sources.discovery import (
    TOLD_BY,
    discover_presets,
    find_preset,
    read_preset,
)
from rekindle.facts.sources.encodings import guess_encoding
from rekindle.facts.sources.opening import open_file, open_source, source_files
from rekindle.facts.sources.presets.model import SourcePreset, plain
from rekindle.facts.sources.raw import LINE, Format, Raw, Reject, described
from rekindle.facts.sources.shaping import AND, EVERY, with_made, without_rows

__all__ = [
    "AND",
    "EVERY",
    "LINE",
    "TOLD_BY",
    "Format",
    "Raw",
    "Reject",
    "SourcePreset",
    "described",
    "discover_presets",
    "find_preset",
    "guess_encoding",
    "open_file",
    "open_source",
    "plain",
    "read_preset",
    "source_files",
    "with_made",
    "without_rows",
]
