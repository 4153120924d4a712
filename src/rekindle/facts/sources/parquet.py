"""Reads Parquet files."""

from __future__ import annotations

from pathlib import Path

import duckdb

from rekindle.config import SourceSettings
from rekindle.facts.sources.raw import LINE, Format, Raw, described
from rekindle.facts.sql import literal


def open_parquet(
    con: duckdb.DuckDBPyConnection, path: Path, name: str, source: SourceSettings
) -> Raw:
    """Return a Parquet file, its rows counted from 1."""
    relation = (
        f"select * exclude (file_row_number), file_row_number + 1 as {LINE} "
        f"from read_parquet({literal(str(path))}, file_row_number = true)"
    )
    return described(con, name, relation)


FORMAT = Format((".parquet", ".pq"), open_parquet)
