"""Opens sources: files of several formats, or a query on a database.

Whatever the format, the result is one ``Raw``: a DuckDB relation of raw columns with
their lines, and the lines that could not even be split into fields.
"""

from __future__ import annotations

import glob
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import duckdb

from rekindle.config import SourceSettings
from rekindle.errors import SourceError
from rekindle.facts.sources.discovery import discover
from rekindle.facts.sources.query import open_query
from rekindle.facts.sources.raw import Raw
from rekindle.facts.sql import first_line


def open_source(
    con: duckdb.DuckDBPyConnection, source: SourceSettings, base: Path
) -> Iterator[Raw]:
    """Yield every file (or the one query) of a source, opened.

    Raises:
        SourceError: nothing there, nothing in it, or not readable as its format.
    """
    if source.query is not None:
        yield open_query(con, source, base)
        return
    for path in source_files(source, base):
        yield open_file(con, path, source, base)


def _by_numbers(path: str) -> list[tuple[int, str]]:
    """Return what sorts names as people read them: the 9th before the 10th."""
    parts = re.split(r"(\d+)", path)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def source_files(source: SourceSettings, base: Path) -> list[Path]:
    """Return the files a source's path names, sorted by name, numbers in it as numbers.

    Raises:
        SourceError: the path is missing from the settings, or matches no file.
    """
    if source.path is None:
        raise SourceError(f"source {source.name!r} names neither a path nor a database and query")
    pattern = str(base / source.path)
    matches = glob.glob(pattern, recursive=True) if glob.has_magic(pattern) else []
    found = [Path(match) for match in sorted(matches, key=_by_numbers) if Path(match).is_file()]
    if not found and Path(pattern).is_file():
        found = [Path(pattern)]
    if Path(pattern).is_dir():
        raise SourceError(
            f"{source.path} is a folder (source {source.name!r}); name a file in it, or all of "
            "one kind, like exports/*.csv"
        )
    if not found:
        raise SourceError(f"{source.path}: no such file (source {source.name!r}, from {base})")
    return found


def open_file(
    con: duckdb.DuckDBPyConnection, path: Path, source: SourceSettings, base: Path
) -> Raw:
    """Return one file, opened by the format its ending names.

    Raises:
        SourceError: empty, unreadable, or of no known format.
    """
    if path.stat().st_size == 0:
        raise SourceError(f"{path} is empty; export it again with a header and rows")
    name = os.path.relpath(path, base) if path.is_relative_to(base) else str(path)
    suffixes = [s.lower() for s in path.suffixes]
    ending = suffixes[-2] if suffixes[-1:] == [".gz"] and len(suffixes) > 1 else path.suffix.lower()
    form = discover().get(ending)
    if form is None:
        raise SourceError(
            f"{path}: the ending {ending or '(none)'} is not known; "
            "use .csv, .tsv, .xlsx, .json, .jsonl or .parquet; text may be .gz"
        )
    _check_kind(path, ending)
    try:
        return form.open(con, path, name, source)
    except (duckdb.Error, OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{path} cannot be read: {first_line(error)}") from error


BEGINNINGS = {
    b"PK\x03\x04": "a workbook or another packed file; if it is a workbook, call it .xlsx",
    b"\xd0\xcf\x11\xe0": "an old workbook; call it .xls",
    b"PAR1": "a Parquet file; call it .parquet",
    b"\x1f\x8b": "packed by gzip; add .gz to its name",
    b"%PDF": "a PDF; export the table itself",
}


def _check_kind(path: Path, ending: str) -> None:
    """Refuse what goes by the name of text, and by its first bytes is something else."""
    if ending not in (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson") or path.suffix == ".gz":
        return
    with path.open("rb") as file:
        begins = file.read(4)
    for mark, what in BEGINNINGS.items():
        if begins.startswith(mark):
            raise SourceError(f"{path} is {what}")
