"""Opens sources: files of several formats, or a query on a database.

Whatever the format, the result is one ``Raw``: a DuckDB relation of raw columns with
their lines, and the lines that could not even be split into fields.
"""

from __future__ import annotations

import glob
import os
import re
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import ibis

from rekindle.config import SourceSettings
from rekindle.errors import SourceError
from rekindle.facts.delimited import LONGEST_LINE, open_delimited
from rekindle.facts.raw import LINE, Raw, Reject, first_line, literal
from rekindle.facts.texts import as_utf8

TEXT_ENDINGS = {".csv": None, ".tsv": "\t", ".txt": None}
LINE_ENDINGS = (".jsonl", ".ndjson")
PARQUET_ENDINGS = (".parquet", ".pq")
VARIABLE = re.compile(r"\$\{(\w+)\}")


def open_source(
    con: duckdb.DuckDBPyConnection, source: SourceSettings, base: Path
) -> Iterator[Raw]:
    """Yield every file (or the one query) of a source, opened.

    Raises:
        SourceError: nothing there, nothing in it, or not readable as its format.
    """
    if source.query is not None:
        yield _open_query(con, source, base)
        return
    for path in source_files(source, base):
        yield open_file(con, path, source, base)


def source_files(source: SourceSettings, base: Path) -> list[Path]:
    """Return the files a source's path names, sorted.

    Raises:
        SourceError: the path is missing from the settings, or matches no file.
    """
    if source.path is None:
        raise SourceError(f"source {source.name!r} names neither a path nor a database and query")
    pattern = str(base / source.path)
    matches = glob.glob(pattern, recursive=True) if glob.has_magic(pattern) else []
    found = [Path(match) for match in sorted(matches) if Path(match).is_file()]
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
    try:
        if ending in PARQUET_ENDINGS:
            return _open_parquet(con, path, name)
        if ending in LINE_ENDINGS or ending in TEXT_ENDINGS:
            with tempfile.TemporaryDirectory() as folder:
                text = as_utf8(path, source.encoding, folder=Path(folder))
                if ending in LINE_ENDINGS:
                    return _open_json_lines(con, text, name)
                delimiter = source.delimiter or TEXT_ENDINGS[ending]
                return open_delimited(con, text, name, delimiter=delimiter)
    except (duckdb.Error, OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{path} cannot be read: {first_line(error)}") from error
    raise SourceError(
        f"{path}: the ending {ending or '(none)'} is not known; "
        "use .csv, .tsv, .jsonl or .parquet, each plain or .gz"
    )


def _open_parquet(con: duckdb.DuckDBPyConnection, path: Path, name: str) -> Raw:
    relation = (
        f"select * exclude (file_row_number), file_row_number + 1 as {LINE} "
        f"from read_parquet({literal(str(path))}, file_row_number = true)"
    )
    return _described(con, name, relation)


def _open_json_lines(con: duckdb.DuckDBPyConnection, path: Path, name: str) -> Raw:
    reader = (
        f"read_csv({literal(str(path))}, auto_detect = false, header = false, "
        "columns = {'text': 'VARCHAR'}, delim = '\x01', quote = '', escape = '', "
        f"max_line_size = {LONGEST_LINE})"
    )
    con.execute(
        "create or replace temp table raw_json as select text, "
        "case when json_type(try_cast(text as json)) = 'OBJECT' then text::json end as json "
        f"from {reader}"
    )
    bad = con.execute(
        "select rowid + 1, text from raw_json where json is null and trim(text) <> '' "
        "order by rowid"
    ).fetchall()
    keys = con.execute(
        "select distinct unnest(json_keys(json)) as key from raw_json "
        "where json is not null order by key"
    ).fetchall()
    relation = f"select json, text, rowid + 1 as {LINE} from raw_json where json is not null"
    rejects = tuple(Reject(line, text, "the line is no JSON object") for line, text in bad)
    return Raw(name, relation, {k: "VARCHAR" for (k,) in keys}, is_json=True, rejects=rejects)


def _open_query(con: duckdb.DuckDBPyConnection, source: SourceSettings, base: Path) -> Raw:
    if source.database is None:
        raise SourceError(f"source {source.name!r} has a query but no database")
    name = f"query of {source.name}"
    with _connected(VARIABLE.sub(_from_environment, source.database), name, base) as database:
        rows = database.sql(source.query).to_pyarrow()
    con.register("raw_query", rows)
    return _described(con, name, f"select *, row_number() over () as {LINE} from raw_query")


@contextmanager
def _connected(url: str, name: str, base: Path) -> Iterator[ibis.BaseBackend]:
    """Yield the database behind ``url``; a SQLite path is relative to the workspace."""
    if url.startswith("sqlite:///"):
        path = base / url.removeprefix("sqlite:///")
        if not path.is_file():  # SQLite would make an empty one
            raise SourceError(f"{name}: there is no file {path}")
        url = f"sqlite:///{path}"
    try:
        database = ibis.connect(url)
        try:
            yield database
        finally:
            database.disconnect()
    except SourceError:
        raise
    except Exception as error:  # every driver raises its own kind
        raise SourceError(f"{name} failed: {first_line(error)}") from error


def _from_environment(match: re.Match[str]) -> str:
    try:
        return os.environ[match[1]]
    except KeyError:
        raise SourceError(f"the environment variable {match[1]} is not set") from None


def _described(con: duckdb.DuckDBPyConnection, name: str, relation: str) -> Raw:
    columns = {r[0]: r[1] for r in con.execute(f"describe {relation}").fetchall()}
    columns.pop(LINE)
    return Raw(name, relation, columns)
