"""Opens sources: files of several formats, or a query on a database.

Whatever the format, the result is the same: a DuckDB relation of raw columns with a
``line`` number, and the lines that could not even be split into fields.
"""

from __future__ import annotations

import codecs
import glob
import gzip
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO, cast

import duckdb
import ibis

from rekindle.config import SourceSettings
from rekindle.errors import SourceError

TEXT_ENDINGS = {".csv": None, ".tsv": "\t", ".txt": None}
LINE_ENDINGS = (".jsonl", ".ndjson")
PARQUET_ENDINGS = (".parquet", ".pq")
VARIABLE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Raw:
    """One opened file or query.

    ``relation`` is SQL that yields the raw columns and ``line``; ``columns`` maps each
    raw column to its DuckDB type; ``is_json`` means columns are paths into ``json``.
    """

    name: str
    relation: str
    columns: dict[str, str]
    is_json: bool = False
    rejects: tuple[tuple[int, str, str], ...] = ()


def quoted(name: str) -> str:
    """Return ``name`` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return ``text`` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def open_source(
    con: duckdb.DuckDBPyConnection, source: SourceSettings, base: Path
) -> Iterator[Raw]:
    """Yield every file (or the one query) of a source, opened.

    Raises:
        SourceError: nothing there, nothing in it, or not readable as its format.
    """
    if source.query is not None:
        yield _open_query(con, source)
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
    found = [Path(p) for p in sorted(glob.glob(pattern))] if glob.has_magic(pattern) else []
    if not found and Path(pattern).is_file():
        found = [Path(pattern)]
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
        if ending in LINE_ENDINGS:
            return _open_json_lines(con, _as_utf8(con, path, source), name)
        if ending in TEXT_ENDINGS:
            delimiter = source.delimiter or TEXT_ENDINGS[ending]
            return _open_csv(con, _as_utf8(con, path, source), name, delimiter=delimiter)
    except (duckdb.Error, OSError, EOFError) as error:
        raise SourceError(f"{path} cannot be read: {_first_line(error)}") from error
    raise SourceError(
        f"{path}: the ending {ending or '(none)'} is not known; "
        "use .csv, .tsv, .jsonl or .parquet, each plain or .gz"
    )


def _open_parquet(con: duckdb.DuckDBPyConnection, path: Path, name: str) -> Raw:
    relation = (
        f"select * exclude (file_row_number), file_row_number + 1 as line "
        f"from read_parquet({literal(str(path))}, file_row_number = true)"
    )
    return _described(con, name, relation)


def _open_csv(
    con: duckdb.DuckDBPyConnection, path: Path, name: str, *, delimiter: str | None
) -> Raw:
    options = "header = true, all_varchar = true, store_rejects = true, sample_size = 20000"
    if delimiter is not None:
        options += f", delim = {literal(delimiter)}"
    reader = f"read_csv({literal(str(path))}, {options})"
    columns = [row[0] for row in con.execute(f"describe select * from {reader}").fetchall()]
    con.execute(f"create or replace temp table raw_csv as select * from {reader}")
    rejects = _rejects(con)
    shifts = [line - 2 - index for index, (line, _, _) in enumerate(rejects)]
    moved = "".join(f" + (n > {shift})::int" for shift in shifts[:1000])
    chosen = ", ".join(quoted(c) for c in columns)
    relation = f"select {chosen}, n + 1{moved} as line from raw_csv_numbered"
    con.execute(
        "create or replace temp view raw_csv_numbered as "
        "select *, row_number() over () as n from raw_csv"
    )
    return Raw(name, relation, dict.fromkeys(columns, "VARCHAR"), rejects=tuple(rejects))


def _rejects(con: duckdb.DuckDBPyConnection) -> list[tuple[int, str, str]]:
    rows = con.execute(
        "select line, any_value(csv_line), any_value(error_message) "
        "from reject_errors group by line order by line"
    ).fetchall()
    con.execute("drop table reject_errors")
    con.execute("drop table reject_scans")
    return [(line, text or "", _first_line(error)) for line, text, error in rows]


def _open_json_lines(con: duckdb.DuckDBPyConnection, path: Path, name: str) -> Raw:
    reader = (
        f"read_csv({literal(str(path))}, columns = {{'text': 'VARCHAR'}}, header = false, "
        "delim = '\x01', quote = '', escape = '', max_line_size = 16777216)"
    )
    con.execute(
        "create or replace temp table raw_json as "
        f"select try_cast(text as json) as json, text, row_number() over () as line from {reader}"
    )
    bad = con.execute(
        "select line, text, 'the line is not a JSON object' from raw_json "
        "where json is null or json_type(json) <> 'OBJECT' order by line"
    ).fetchall()
    keys = con.execute(
        "select distinct unnest(json_keys(json)) from "
        "(select json from raw_json where json is not null and json_type(json) = 'OBJECT' "
        "limit 1000)"
    ).fetchall()
    relation = "select * from raw_json where json is not null and json_type(json) = 'OBJECT'"
    return Raw(name, relation, {k: "VARCHAR" for (k,) in keys}, is_json=True, rejects=tuple(bad))


def _open_query(con: duckdb.DuckDBPyConnection, source: SourceSettings) -> Raw:
    if source.database is None:
        raise SourceError(f"source {source.name!r} has a query but no database")
    url = VARIABLE.sub(_from_environment, source.database)
    name = f"query of {source.name}"
    try:
        table = ibis.connect(url).sql(source.query).to_pyarrow()
    except Exception as error:  # every driver raises its own kind
        raise SourceError(f"{name} failed: {_first_line(error)}") from error
    con.register("raw_query", table)
    return _described(con, name, "select *, row_number() over () as line from raw_query")


def _from_environment(match: re.Match[str]) -> str:
    try:
        return os.environ[match[1]]
    except KeyError:
        raise SourceError(f"the environment variable {match[1]} is not set") from None


def _described(con: duckdb.DuckDBPyConnection, name: str, relation: str) -> Raw:
    columns = {r[0]: r[1] for r in con.execute(f"describe {relation}").fetchall()}
    columns.pop("line")
    return Raw(name, relation, columns)


def _as_utf8(con: duckdb.DuckDBPyConnection, path: Path, source: SourceSettings) -> Path:
    """Return the file itself if it is UTF-8 by name, else a transcoded copy."""
    try:
        codec = codecs.lookup(source.encoding).name
    except LookupError as error:
        raise SourceError(f"source {source.name!r}: no encoding {source.encoding!r}") from error
    _check_text(path, codec)
    if codec == "utf-8":
        return path
    folder = con.execute("select current_setting('temp_directory')").fetchall()[0][0]
    copy = Path(folder) / f"{path.name}.utf8{path.suffix if path.suffix != '.gz' else '.csv'}"
    copy.parent.mkdir(parents=True, exist_ok=True)
    with _open_text(path, codec) as reader, copy.open("w", encoding="utf-8") as writer:
        for chunk in iter(lambda: reader.read(1 << 20), ""):
            writer.write(chunk)
    return copy


def _open_text(path: Path, codec: str) -> TextIO:
    if path.suffix.lower() == ".gz":
        return cast("TextIO", gzip.open(path, "rt", encoding=codec, newline=""))
    return path.open(encoding=codec, newline="")


def _check_text(path: Path, codec: str) -> None:
    """Refuse a file that is not text in ``codec``, naming the line that shows it."""
    line = 1
    try:
        with _open_text(path, codec) as reader:
            for text in iter(lambda: reader.read(1 << 20), ""):
                if "\x00" in text:
                    raise SourceError(f"{path} is not a text file: it holds NUL bytes")
                line += text.count("\n")
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{path} is not {codec}: byte {error.object[error.start]:#04x} after line {line}; "
            'name its encoding in the source, like encoding = "cp1252"'
        ) from error


def _first_line(error: object) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
