"""Shows a snapshot's rows to DuckDB, each table in the shape of its contract."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

import duckdb
import pyarrow as pa

from rekindle.errors import LakeError
from rekindle.facts.casting import sql_type
from rekindle.facts.contracts import Contract
from rekindle.facts.sql import first_line, literal, quoted

ADVICE = (
    "import again (`rekindle import`): what is damaged is put aside, and the sources and what "
    "was reported are read anew"
)


class HasFiles(Protocol):
    """A snapshot of the lake, the lake at its newest, or a change to it."""

    def files(self, table: str) -> list[str]:
        """Return the Parquet files that hold ``table``."""

    def show(self, con: duckdb.DuckDBPyConnection) -> None:
        """Make the files readable in ``con``."""


def create_view(con: duckdb.DuckDBPyConnection, lake: HasFiles, contract: Contract) -> None:
    """Make ``contract.table`` a view of the snapshot's rows in ``con``, of the contract's types.

    A column the contract has gained since the rows were written is NULL.
    """
    lake.show(con)
    create_view_of_files(con, contract.table, contract, lake.files(contract.table))


def create_view_of_files(
    con: duckdb.DuckDBPyConnection, name: str, contract: Contract, files: Sequence[str]
) -> None:
    """Make ``name`` a view of the rows of some of the contract's files."""
    view = f"create or replace view {name} as select"
    if not files:
        con.execute(f"{view} {_columns(contract, ())} where false")
        return
    relation = _relation(files)
    try:
        try:
            con.execute(f"{view} {_columns(contract, contract.schema.names)} from {relation}")
        except duckdb.BinderException:  # no file has some column: ask which
            held = con.execute(f"describe select * from {relation}").fetchall()
            con.execute(f"{view} {_columns(contract, [row[0] for row in held])} from {relation}")
    except duckdb.Error as error:
        raise LakeError(
            f"table {contract.table} has a file that is gone or damaged: {first_line(error)}; "
            f"{ADVICE}"
        ) from error


def find_files_of(
    con: duckdb.DuckDBPyConnection, lake: HasFiles, contract: Contract, keys: str
) -> list[str]:
    """Return the contract's files that hold a row with one of the keys in the table ``keys``."""
    if not (files := lake.files(contract.table)):
        return []
    found = con.execute(
        f"select distinct filename from {_relation(files)} "
        f"semi join {keys} using ({', '.join(contract.key)})"
    ).fetchall()
    names = {name_of(file) for (file,) in found}
    return [file for file in files if name_of(file) in names]


def name_of(file: str) -> str:
    """Return the name of a data file without its table's address."""
    return file.rpartition("/")[2]


def _relation(files: Sequence[str]) -> str:
    return f"read_parquet([{', '.join(literal(f) for f in files)}], union_by_name = true)"


def _columns(contract: Contract, held: Collection[str]) -> str:
    """Return the contract's columns in SQL, NULL for those that are not held."""
    return ", ".join(
        f"{quoted(c.name) if c.name in held else 'null'}::{sql_type(c)} as {quoted(c.name)}"
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
