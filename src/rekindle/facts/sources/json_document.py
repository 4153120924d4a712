"""Reads JSON documents: an array of objects, or a page that holds one array of them.

Each object becomes a line of JSON lines, and is counted from 1. A file of JSON lines that
goes by .json is read as what it is.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from rekindle.config import SourceSettings
from rekindle.errors import SourceError
from rekindle.facts.sources.json_lines import open_lines
from rekindle.facts.sources.raw import Format, Raw, tell_number
from rekindle.facts.sources.texts import open_text, utf8

MOST_CHARACTERS = 1_000_000_000
DEEPEST = 4  # how deep in a page its rows may lie: {"data": {"orders": {"edges": […]}}}


def open_json(con: duckdb.DuckDBPyConnection, path: Path, name: str, source: SourceSettings) -> Raw:
    """Return the objects of a JSON document.

    Raises:
        SourceError: it is no JSON, or holds no array of objects.
    """
    with utf8(path, source.encoding) as text:
        with open_text(text, "utf-8-sig") as reader:
            content = reader.read(MOST_CHARACTERS)
        try:
            document = json.loads(
                content, parse_float=tell_number, parse_int=str, parse_constant=_nothing
            )
        except RecursionError:
            raise SourceError(f"{name} is nested too deeply; export a flat list") from None
        except ValueError as error:
            if _is_lines(content):
                return open_lines(con, text, name)
            raise SourceError(f"{name} is no JSON: {error}") from error
    rows = _rows(document, name)
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "rows.jsonl"
        with lines.open("w", encoding="utf-8") as writer:
            writer.writelines(json.dumps(row, ensure_ascii=True) + "\n" for row in rows)
        return open_lines(con, lines, name)


def _nothing(word: str) -> None:
    """Take NaN and Infinity, which are no JSON, for a gap."""


def _is_lines(content: str) -> bool:
    """Return whether the first line is an object of its own, as in JSON lines."""
    try:
        return isinstance(json.loads(content.lstrip().partition("\n")[0]), dict)
    except ValueError:
        return False


def _rows(document: Any, name: str) -> Sequence[dict[str, Any]]:
    if isinstance(document, list):
        found = [document]
    elif isinstance(document, dict):
        found = _lists(document, DEEPEST) or [[document]]
    else:
        found = []
    if len(found) != 1:
        raise SourceError(
            f"{name} holds {len(found) or 'no'} lists of objects; save the one of orders or "
            "customers as an array, or as one object a line (.jsonl)"
        )
    rows = [row.get("node", row) if isinstance(row, dict) else row for row in found[0]]
    if not rows:
        raise SourceError(f"{name} holds a list but no rows")
    return [row if isinstance(row, dict) else {"value": row} for row in rows]


def _lists(page: dict[str, Any], depth: int) -> list[list[Any]]:
    """Return the lists of objects in a page, the outermost ones."""
    here = [
        value
        for value in page.values()
        if isinstance(value, list) and any(isinstance(one, dict) for one in value)
    ]
    if here or depth == 0:
        return here
    inner = [value for value in page.values() if isinstance(value, dict)]
    return [found for value in inner for found in _lists(value, depth - 1)]


FORMAT = Format((".json",), open_json)
