"""DuckDB over the lake: the engine of one machine."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
import sqlglot.expressions as sge
from ibis.backends.duckdb import Backend
from ibis.backends.sql.compilers.duckdb import DuckDBCompiler

from rekindle.errors import ConfigError, LakeError
from rekindle.facts.contracts import CONTRACTS, Contract
from rekindle.facts.engines.engine import NO_RATES, Engine, own_name
from rekindle.facts.engines.model import EngineCapabilities, EngineEntry, FactsPlace
from rekindle.facts.engines.naming import NamedQuery, name_at, put_queries_before
from rekindle.facts.engines.texts import find_shape, remember
from rekindle.facts.lake import ADVICE, Lake, Snapshot, create_view
from rekindle.facts.sql import first_line, literal, quoted


class _Compiler(DuckDBCompiler):  # type: ignore[misc]
    def visit_NamedQuery(  # noqa: N802 - Ibis finds the method by this name
        self, op: NamedQuery, *, name: str, instants: tuple[Any, ...], **others: Any
    ) -> sge.Table:
        """Return a named query as a table: its SQL is put before the question."""
        told = [one.sql(self.dialect) for one in instants]
        return sge.Table(this=sge.to_identifier(name_at(name, told), quoted=self.quoted))


class PerThread(Backend):  # type: ignore[misc]
    """Ibis' DuckDB, with a cursor of its own for every thread that asks.

    A connection holds one result at a time, so two threads on one would read each
    other's. Cursors share the database and its views; a temporary table is seen by the
    cursor that made it alone, so threads may keep tables of one name.
    """

    compiler = _Compiler()

    @property
    def con(self) -> duckdb.DuckDBPyConnection:
        """Return the calling thread's cursor."""
        found = getattr(self._cursors, "con", None)
        if found is None:
            self._cursors.con = found = self._root.cursor()
            found.execute("set TimeZone = 'UTC'")
            found.execute("set python_enable_replacements = false")
        return found

    @con.setter
    def con(self, root: duckdb.DuckDBPyConnection) -> None:
        self._root, self._cursors = root, threading.local()
        self._cursors.con = root

    def compile(
        self, expr: ir.Expr, /, *, limit: Any = None, params: Any = None, pretty: bool = False
    ) -> str:
        """Return the SQL of an expression, from memory where an equal one was compiled."""
        shape = None if params else find_shape(expr)
        again = super().compile
        return remember(
            shape,
            (type(self), limit, pretty),
            lambda: put_queries_before(
                str(again(expr, limit=limit, params=params, pretty=pretty)), expr
            ),
        )

    def write_alone(self, expression: ir.Table) -> str:
        """Return the SQL of an expression without the queries it names."""
        return str(super().compile(expression))

    def _run_pre_execute_hooks(self, expr: ir.Expr) -> None:
        if find_shape(expr) is None:
            super()._run_pre_execute_hooks(expr)

    def fill(self, name: str, table: ir.Table, *, temp: bool) -> ir.Table:
        """Return a new table of the rows of an expression, in place of one of this name.

        Ibis' own way takes five statements and compiles them anew each time.
        """
        self._run_pre_execute_hooks(table)
        type_of = self.compiler.type_mapper.to_string
        cells = [
            f"{quoted(n)}::{type_of(kind)} as {quoted(n)}" for n, kind in table.schema().items()
        ]
        kind = "temp table" if temp else "table"
        self.con.execute(
            f"create or replace {kind} {quoted(name)} as "
            f"select {', '.join(cells)} from ({self.compile(table)})"
        )
        return self.table(name, database=("temp", "main") if temp else None)

    def view(self, contract: Contract) -> ir.Table:
        """Return a contract's view, which has its columns and types: nothing is asked."""
        here = ops.Namespace(catalog=None, database=None)
        return ops.DatabaseTable(
            contract.table, schema=contract.schema, source=self, namespace=here
        ).to_expr()

    def disconnect(self) -> None:
        """Close the calling thread's cursor and the connection it came from."""
        self.con.close()
        self._root.close()


class _Readable(AbstractContextManager[None]):
    """Says of a file that is gone or damaged what to do about it."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        if isinstance(error, duckdb.IOException | duckdb.InvalidInputException):
            raise LakeError(f"the facts cannot be read: {first_line(error)}; {ADVICE}") from error


class DuckDBEngine(Engine):
    """DuckDB over a snapshot of the lake; threads need not wait for each other."""

    def __init__(
        self, con: PerThread, *, currency: str, zone: str, rates: Mapping[str, Decimal] = NO_RATES
    ) -> None:
        super().__init__(con, currency=currency, zone=zone, rates=rates)
        self._turn = _Readable()

    def keep(self, name: str, expression: ir.Table) -> ir.Table:
        """Execute a table expression once and return its rows as a table of the engine."""
        with self._turn:
            return self._con.fill(own_name(name), expression, temp=True)

    def bring(self, name: str, rows: pa.Table) -> ir.Table:
        """Return rows from outside as a temporary table of the engine."""
        return self._bring(own_name(name), rows, temp=True)

    def share(self, name: str, rows: pa.Table) -> ir.Table:
        """Return rows from outside as a table of the database in memory, which cursors share."""
        return self._bring(name, rows, temp=False)

    def _find_tables(self) -> dict[str, ir.Table]:
        return {contract.table: self._con.view(contract) for contract in CONTRACTS.values()}

    def _bring(self, name: str, rows: pa.Table, *, temp: bool) -> ir.Table:
        brought = ibis.memtable(rows)
        with self._turn:
            table = self._con.fill(name, brought, temp=temp)
            self._con.con.unregister(brought.get_name())
        return table


class _RowsEngine(DuckDBEngine):
    """DuckDB over rows in memory: of the contracts' tables it has those it was given."""

    def _find_tables(self) -> dict[str, ir.Table]:
        given, shown = self._con.list_tables(), super()._find_tables()
        return {name: table for name, table in shown.items() if name in given}


def open_rows(
    tables: Mapping[str, pa.Table],
    *,
    currency: str,
    zone: str,
    rates: Mapping[str, Decimal] = NO_RATES,
) -> Engine:
    """Return DuckDB over rows in memory, given by table in the contracts' types."""
    root = duckdb.connect()
    root.execute("set TimeZone = 'UTC'")
    for name, rows in tables.items():
        root.register("rows_given", rows)
        root.execute(f"create table {quoted(name)} as from rows_given")
        root.unregister("rows_given")
    return _RowsEngine(PerThread.from_connection(root), currency=currency, zone=zone, rates=rates)


def open_lake(
    folder: Path, *, currency: str, zone: str, rates: Mapping[str, Decimal] = NO_RATES
) -> Engine:
    """Return DuckDB over the committed snapshot of the lake in ``folder``.

    Raises:
        LakeError: the lake is damaged or of a newer format.
    """
    return open_duckdb(FactsPlace(Lake(folder), currency, zone, rates=rates))


def open_duckdb(place: FactsPlace) -> Engine:
    """Return DuckDB over the lake's committed snapshot.

    Raises:
        LakeError: the lake is damaged or of a newer format.
        ConfigError: an option is none of DuckDB's.
    """
    root = duckdb.connect()
    try:
        root.execute("set TimeZone = 'UTC'")
        root.execute(f"set temp_directory = {literal(str(place.lake.spill))}")
        _configure(root, place)
        _show(root, place)
    except Exception:
        root.close()
        raise
    con = PerThread.from_connection(root)
    # Expressions outlive the engine in the hands of those who built them: the database
    # goes with the last of them, not with a newer import.
    weakref.finalize(con, root.close)
    return DuckDBEngine(con, currency=place.currency, zone=place.zone, rates=place.rates)


def _show(root: duckdb.DuckDBPyConnection, place: FactsPlace) -> None:
    """Make views of one snapshot; of the next one if an import has swept the first away."""
    snapshot = place.lake.snapshot()
    try:
        _create_views(root, snapshot)
    except LakeError:
        newer = place.lake.snapshot()
        if newer.versions == snapshot.versions:
            raise
        _create_views(root, newer)


def _create_views(root: duckdb.DuckDBPyConnection, snapshot: Snapshot) -> None:
    for contract in CONTRACTS.values():
        create_view(root, snapshot, contract)


def _configure(root: duckdb.DuckDBPyConnection, place: FactsPlace) -> None:
    for name, value in place.options.items():
        try:
            if not name.isidentifier():
                raise ConfigError(f"[facts.options] {name}: DuckDB has no such setting")
            root.execute(f"set {name} = {literal(value)}")
        except duckdb.Error as error:
            raise ConfigError(f"[facts.options] {name} = {value}: {first_line(error)}") from error


ENGINE = EngineEntry(
    "duckdb",
    "On this machine, over the lake's files; what is used unless something else is said.",
    EngineCapabilities(reads_lake=True, reads_warehouse=False, is_parallel=True),
    open_duckdb,
)
