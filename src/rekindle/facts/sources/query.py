"""Reads a query on a database, through the driver that Ibis has for it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import ibis

from rekindle.config import SourceSettings
from rekindle.errors import SourceError
from rekindle.facts.sources.raw import LINE, Raw, described
from rekindle.facts.sql import first_line

VARIABLE = re.compile(r"\$\{(\w+)\}")


def open_query(con: duckdb.DuckDBPyConnection, source: SourceSettings, base: Path) -> Raw:
    """Return the rows of a source's query, in the order the database gives them.

    Raises:
        SourceError: no database is named, or it does not answer.
    """
    if source.database is None:
        raise SourceError(f"source {source.name!r} has a query but no database")
    name = f"query of {source.name}"
    with _connected(VARIABLE.sub(_from_environment, source.database), name, base) as database:
        rows = database.sql(source.query).to_pyarrow()
    con.register("raw_query", rows)
    return described(con, name, f"select *, row_number() over () as {LINE} from raw_query")


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
