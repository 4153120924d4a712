"""Reads JSON lines: one object a line, columns are paths into it."""

from __future__ import annotations

from pathlib import Path

import duckdb

from rekindle.config import SourceSettings
from rekindle.facts.sources.delimited import LONGEST_LINE
from rekindle.facts.sources.raw import LINE, PATH, Format, Raw, Reject
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
        return open_lines(con, text, name)


def open_lines(con: duckdb.DuckDBPyConnection, path: Path, name: str) -> Raw:
    """Return a UTF-8 file of JSON objects, its columns the keys of all of them."""
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
    relation = f"select json, text, rowid + 1 as {LINE} from raw_json where json is not null"
    rejects = tuple(Reject(line, text, "the line is no JSON object") for line, text in bad)
    return Raw(name, relation, _columns(con), is_json=True, rejects=rejects)


def _columns(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return the keys of the objects, and in place of an object's the paths into it."""
    found: dict[str, str] = {}
    for key, kinds in _keys(con, "json"):
        inner = f"json_extract(json, {literal(_path(key))})"
        if kinds != ["OBJECT"]:
            found[key] = "VARCHAR"
            continue
        for name, _ in _keys(con, inner):
            found.setdefault(f"{key}.{name}", PATH)
    return found


def _keys(con: duckdb.DuckDBPyConnection, value: str) -> list[tuple[str, list[str]]]:
    """Return the keys of the objects of all rows, each with the kinds of what it holds."""
    return con.execute(
        f"""
        select key, list(distinct json_type(json_extract(value, '$."' || key || '"')))
            filter (where json_type(json_extract(value, '$."' || key || '"')) <> 'NULL') as kinds
        from (select value, unnest(json_keys(value)) as key from (
            select {value} as value from raw_json where json is not null)
            where json_type(value) = 'OBJECT')
        where not contains(key, '"') group by key order by key"""
    ).fetchall()


def _path(key: str) -> str:
    return f'$."{key}"'


def _object(text: str) -> str:
    return (
        f"case when json_type(try_cast({text} as json)) = 'OBJECT' "
        f"then try_cast({text} as json) end"
    )


FORMAT = Format((".jsonl", ".ndjson"), open_json_lines)
