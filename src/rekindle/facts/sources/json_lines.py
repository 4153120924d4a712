"""Reads JSON lines: one object a line, columns are paths into it."""

from __future__ import annotations

from pathlib import Path

import duckdb

from rekindle.config import SourceSettings
from rekindle.facts.sources.delimited import LONGEST_LINE
from rekindle.facts.sources.raw import LINE, Format, Raw, Reject
from rekindle.facts.sources.texts import utf8
from rekindle.facts.sql import literal

# Half of a character makes a line unreadable; a NUL in its place spoils one cell, which the
# checks find, and leaves the others to be read.
WITHOUT_HALVES = r"regexp_replace(text, '(?i)\\ud[89a-f][0-9a-f]{2}', '\\u0000', 'g')"


def open_json_lines(
    con: duckdb.DuckDBPyConnection, path: Path, name: str, source: SourceSettings
) -> Raw:
    """Return a file of JSON objects; a line that is none is set aside."""
    with utf8(path, source.encoding) as text:
        return _open(con, text, name)


def _open(con: duckdb.DuckDBPyConnection, path: Path, name: str) -> Raw:
    reader = (
        f"read_csv({literal(str(path))}, auto_detect = false, header = false, "
        "columns = {'text': 'VARCHAR'}, delim = '\x01', quote = '', escape = '', "
        f"max_line_size = {LONGEST_LINE})"
    )
    con.execute(
        "create or replace temp table raw_json as select text, coalesce("
        f"{_object('text')}, {_object(WITHOUT_HALVES)}) as json from {reader}"
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


def _object(text: str) -> str:
    return (
        f"case when json_type(try_cast({text} as json)) = 'OBJECT' "
        f"then try_cast({text} as json) end"
    )


FORMAT = Format((".jsonl", ".ndjson"), open_json_lines)
