"""Spark: for facts that one machine cannot hold.

It reads the lake's Parquet files, or tables of its own catalogue, and runs the same
expressions. Where Ibis 12.0 and Spark do not meet, the differences are bridged here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.errors import ConfigError, LakeError
from rekindle.facts.contracts import CONTRACTS, Contract
from rekindle.facts.engines.engine import NO_RATES, Engine, own_name
from rekindle.facts.engines.model import EngineCapabilities, EngineEntry, FactsPlace
from rekindle.facts.lake import Snapshot
from rekindle.facts.sql import first_line

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SCHEME = "spark"
REMOTE = "spark.remote"
# What a clock of a zone shows, under the name that DuckDB and PostgreSQL have for it.
LOCAL_CLOCK = """
    create or replace temporary function timezone(zone string, moment timestamp)
    returns timestamp return from_utc_timestamp(moment, zone)
"""


class SparkEngine(Engine):
    """A Spark session of its own: its temporary views are nobody else's."""

    def __init__(
        self, con: Any, *, currency: str, zone: str, rates: Mapping[str, Decimal] = NO_RATES
    ) -> None:
        super().__init__(con, currency=currency, zone=zone, rates=rates)
        self._session: SparkSession = con._session
        self._session.sql(LOCAL_CLOCK)
        self._turn = nullcontext()  # a session takes questions of several threads

    def run(self, expression: ir.Expr) -> pa.Table:
        """Execute an expression and return its rows; a single value is a row of one.

        By way of Arrow: Ibis' way through pandas ends at years that pandas does not know.
        """
        table = expression.as_table()
        return self._build(table).toArrow().cast(table.schema().to_pyarrow())

    def keep(self, name: str, expression: ir.Table) -> ir.Table:
        """Execute a table expression once and return its rows as a table of the engine."""
        # A checkpoint cuts the plan off: planning a profile takes longer than reading one.
        return self._show(name, self._build(expression).localCheckpoint(eager=True), expression)

    def bring(self, name: str, rows: pa.Table) -> ir.Table:
        """Return rows from outside as a temporary table of the engine."""
        frame = self._session.createDataFrame(rows)
        return self._show(name, frame, ibis.table(ibis.Schema.from_pyarrow(rows.schema)))

    def close(self) -> None:
        """Let the engine go; the session's process is shared and stays."""

    def _build(self, expression: ir.Table) -> DataFrame:
        self._con._run_pre_execute_hooks(expression)  # shows tables that stand in memory
        return self._session.sql(self._con.compile(_with_trims(expression)))

    def _show(self, name: str, frame: DataFrame, like: ir.Table) -> ir.Table:
        own = own_name(name)
        frame.createOrReplaceTempView(own)
        return self._con.table(own).cast(like.schema())


def _with_trims(expression: ir.Table) -> ir.Table:
    r"""Return the expression with white space taken off by a pattern.

    Ibis writes the characters as text with ``\v`` and ``\f``, which Spark reads as the letters.
    """

    def rewrite(node: ops.Node, changed: Mapping[str, Any] | None) -> ops.Node:
        node = node.__recreate__(changed) if changed else node
        if isinstance(node, ops.Strip):
            return ops.RegexReplace(node.arg, r"^\s+|\s+$", "")
        return node

    return expression.op().replace(rewrite).to_expr()


def open_spark(place: FactsPlace) -> Engine:
    """Return Spark over the lake's committed snapshot, or over tables of its catalogue.

    Raises:
        ConfigError: Spark is not installed, or an option is none of its own.
        LakeError: Spark cannot be started or reached, or the tables are not there.
    """
    session = _session(place.options)
    if place.warehouse is None:
        snapshot = place.lake.snapshot()  # one, whatever an import commits meanwhile
        for contract in CONTRACTS.values():
            _show_lake(session, snapshot, contract)
    con = ibis.pyspark.connect(session)
    if place.warehouse is not None:
        _use(con, place.warehouse.partition("://")[2])
    return SparkEngine(con, currency=place.currency, zone=place.zone, rates=place.rates)


def _session(options: Mapping[str, str]) -> SparkSession:
    """Return a session of one's own, in the process that is there or a new one."""
    try:
        from pyspark.errors import AnalysisException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise ConfigError(
            "[facts] engine = 'spark' needs Spark: pip install 'rekindle[spark]'"
        ) from error
    builder = SparkSession.builder.appName("rekindle")
    for name, value in _with_defaults(options).items():
        builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
        if REMOTE in options:
            return session
        session = session.newSession()
    except Exception as error:  # a JVM that does not start says so in many ways
        raise LakeError(
            f"Spark cannot be started: {first_line(error)}; it needs Java 17 or newer "
            "(JAVA_HOME), and a cluster named in [facts.options] has to answer"
        ) from error
    for name, value in options.items():
        if name.startswith("spark.sql."):
            # What a process is started with is refused here, and holds already.
            with suppress(AnalysisException):
                session.conf.set(name, value)
    return session


def _with_defaults(options: Mapping[str, str]) -> dict[str, str]:
    if REMOTE in options:
        return dict(options)
    quiet = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false"}
    found = {"spark.master": "local[*]", **quiet, **options}
    if found["spark.master"].startswith("local"):
        # 200 parts, the default, are for a cluster.
        found.setdefault("spark.sql.shuffle.partitions", str(2 * (os.cpu_count() or 1)))
    return found


def _show_lake(session: SparkSession, snapshot: Snapshot, contract: Contract) -> None:
    """Make ``contract.table`` a view of the snapshot's rows."""
    files = [_as_hadoop(file) for file in snapshot.files(contract.table)]
    none = session.createDataFrame(contract.schema.to_pyarrow().empty_table())
    frame = none
    if files:
        frame = session.read.option("mergeSchema", "true").parquet(*files)
        # A column that the contract has gained since is NULL.
        frame = frame.unionByName(none, allowMissingColumns=True).select(*none.columns)
    frame.createOrReplaceTempView(contract.table)


def _as_hadoop(file: str) -> str:
    return file.replace("s3://", "s3a://", 1) if file.startswith("s3://") else file


def _use(con: Any, database: str) -> None:
    """Go to a database of the catalogue that holds the contract's tables."""
    try:
        con.raw_sql("use " + ".".join(f"`{part}`" for part in database.split(".") if part))
        missing = {c.table for c in CONTRACTS.required} - set(con.list_tables())
    except Exception as error:  # catalogues raise kinds of their own
        raise LakeError(f"Spark cannot use {database}: {first_line(error)}") from error
    if missing:
        raise LakeError(
            f"{database} lacks {', '.join(sorted(missing))}; "
            "make them, or views, with the columns of Rekindle's tables of these names"
        )


ENGINE = EngineEntry(
    "spark",
    "Spark, on this machine or a cluster, for what one machine cannot hold.",
    EngineCapabilities(reads_lake=True, reads_warehouse=True, is_parallel=True),
    open_spark,
    schemes=frozenset({SCHEME}),
    extra="`spark`, and Java 17 or newer",
)
