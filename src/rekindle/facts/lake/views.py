"""Shows a snapshot's rows to DuckDB, each table in the shape of its contract."""

from __future__ import annotations

from typing import Protocol

import duckdb
import pyarrow as pa

from rekindle.errors import LakeError
from rekindle.facts.casting import sql_type
from rekindle.facts.contracts import Contract
from rekindle.facts.sql import first_line, literal, quoted

ADVICE = (
    "import again (`rekindle import`): what is damaged is put aside and the sources are read "
    "anew; what was reported through the API and stood there is lost unless you have a copy"
)


class HasFiles(Protocol):
    """A snapshot of the lake, the lake at its newest, or a change to it."""

    def files(self, table: str) -> list[str]:
        """Return the Parquet files that hold ``table``."""

    def show(self, con: duckdb.DuckDBPyConnection) -> None:
        """Make the files readable in ``con``."""


def create_view(con: duckdb.DuckDBPyConnection, lake: HasFiles, contract: Contract) -> None:
    """Make ``contract.table`` a view of the snapshot's rows in ``con``.

    A column the contract has gained since the rows were written is NULL.
    """
    lake.show(con)
    files = lake.files(contract.table)
    if files:
        listed = ", ".join(literal(f) for f in files)
        relation = f"read_parquet([{listed}], union_by_name = true)"
    else:
        relation = f"empty_{contract.table}"
        # A table, not a registered object: every cursor of the connection has to see it.
        con.register(f"{relation}_rows", empty(contract))
        con.execute(f"create or replace table {relation} as from {relation}_rows")
    try:
        body = f"select {_columns(con, relation, contract)} from {relation}"
        con.execute(f"create or replace view {contract.table} as {body}")
    except duckdb.Error as error:
        raise LakeError(
            f"table {contract.table} has a file that is gone or damaged: {first_line(error)}; "
            f"{ADVICE}"
        ) from error


def _columns(con: duckdb.DuckDBPyConnection, relation: str, contract: Contract) -> str:
    """Return the contract's columns in SQL, NULL for those ``relation`` lacks."""
    held = {name for name, *_ in con.execute(f"describe select * from {relation}").fetchall()}
    return ", ".join(
        quoted(c.name) if c.name in held else f"null::{sql_type(c)} as {quoted(c.name)}"
        for c in contract.columns
    )


def shaped(rows: pa.Table, contract: Contract) -> pa.Table:
    """Return rows in the columns and types of a contract.

    Raises:
        LakeError: a column is missing, or a value does not fit its type.
    """
    schema = contract.schema.to_pyarrow()
    try:
        return rows.select(schema.names).cast(schema)
    except (pa.ArrowInvalid, KeyError) as error:
        raise LakeError(f"{contract.table} does not fit its contract: {error}") from error


def empty(contract: Contract) -> pa.Table:
    """Return a contract's columns without a row."""
    return contract.schema.to_pyarrow().empty_table()
