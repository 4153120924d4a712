"""The benchmarks by name. Each returns one ``Result``."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import ibis

from bench.decisions import decisions_postgresql, decisions_sqlite
from bench.dispatch import delivery
from bench.dispatching import dispatch_http, dispatch_postgresql, dispatch_sqlite
from bench.identity import identity
from bench.intake import intake, intake_postgresql
from bench.lift import lift
from bench.measure import Result, compare
from bench.models import models, returns
from bench.models.forecasts import forecasts
from bench.recommend import recommend
from bench.rounds import daily, idle
from bench.spark import spark
from bench.stopping import stopping
from bench.subscribers import backfill, mrr
from bench.worlds import LINE_COLUMNS, WORK, lines_file, orders_file
from rekindle.clock import MovableClock
from rekindle.config import Config, LifecycleSettings
from rekindle.desk import create_workspace, replay_journey
from rekindle.desk.scaffolding import Scaffold
from rekindle.facts import Engine, Readings, import_sources
from rekindle.facts.contracts import CONTRACTS
from rekindle.journeys import parse_journey, starter_journeys
from rekindle.profiles import build_profiles
from rekindle.runtime import Workspace

END = datetime(2025, 1, 1, tzinfo=UTC)


def profiles() -> Result:
    """Profiles of 1,000,000 customers against a group-by that counts and sums."""
    file = orders_file(1_000_000, 10_000_000, days=1800)
    engine = _engine_over(file)
    expression = build_profiles(engine.facts(), END, LifecycleSettings())
    plain = duckdb.connect()
    return compare(
        lambda: engine.keep("profiles", expression),
        lambda: plain.execute(
            "create or replace temp table t as select customer_id, count(*), sum(gross) "
            f"from '{file}' group by customer_id"
        ),
        rounds=3,
        limit=12,
        note="profiles of 1 M customers and 10 M orders ÷ DuckDB count and sum by customer",
        by_processor=True,
    )


def imports() -> Result:
    """Import of 5,000,000 order lines against DuckDB's own copy into a table."""
    file = lines_file(5_000_000)
    folder = Path(tempfile.mkdtemp(dir=WORK))
    source = {"name": "shop", "table": "order_lines", "path": str(file), "columns": LINE_COLUMNS}
    config = Config.model_validate({"sources": [source]})

    def ours() -> None:
        shutil.rmtree(folder / "state", ignore_errors=True)
        import_sources(config, folder, now=END)

    def copy() -> None:
        with duckdb.connect() as con:
            con.execute(f"create table lines as from '{file}'")

    try:
        return compare(
            ours,
            copy,
            rounds=3,
            limit=8,
            note="import of 5 M order lines ÷ DuckDB copy of the file",
            by_processor=True,
        )
    finally:
        shutil.rmtree(folder)


def replay() -> Result:
    """A year's daily replay for 100,000 customers against one profile of the same facts."""
    file = orders_file(100_000, 1_000_000, days=1095)
    folder = Path(tempfile.mkdtemp(dir=WORK)) / "shop"
    create_workspace(folder, Scaffold("Bench", "GBP", "UTC"))
    workspace = Workspace.open(folder, clock=MovableClock(datetime(2023, 1, 1, tzinfo=UTC)))
    workspace._readings = Readings(lambda: _engine_over(file))
    journey = parse_journey(starter_journeys()["lapsed-buyers.yaml"], name_hint="lapsed-buyers")
    expression = workspace.profiles(datetime(2022, 12, 31, tzinfo=UTC))
    try:
        return compare(
            lambda: replay_journey(
                workspace, journey, first=date(2022, 1, 1), last=date(2022, 12, 31)
            ),
            lambda: workspace.engine.keep("one_profile", expression),
            rounds=3,
            limit=40,
            note="365 daily ticks for 100 k customers, 1 M orders ÷ one profile of them",
            by_processor=True,
        )
    finally:
        shutil.rmtree(folder.parent)


def _engine_over(orders: Path) -> Engine:
    """Return the facts engine over one orders file, every other table empty."""
    con = ibis.duckdb.connect()
    con.raw_sql("set TimeZone = 'UTC'")
    for contract in CONTRACTS.facts:
        if contract.table == "orders":
            con.raw_sql(f"create view orders as from '{orders}'")
        else:
            con.create_table(contract.table, schema=contract.schema)
    return Engine(con, currency="GBP", zone="UTC")


BENCHMARKS: dict[str, Callable[[], Result]] = {
    "profiles": profiles,
    "recommend": recommend,
    "returns": returns,
    "models": models,
    "forecasts": forecasts,
    "import": imports,
    "replay": replay,
    "delivery": delivery,
    "decisions_postgresql": decisions_postgresql,
    "decisions_sqlite": decisions_sqlite,
    "dispatch_sqlite": dispatch_sqlite,
    "dispatch_postgresql": dispatch_postgresql,
    "dispatch_http": dispatch_http,
    "intake": intake,
    "intake_postgresql": intake_postgresql,
    "stopping": stopping,
    "daily": daily,
    "idle": idle,
    "identity": identity,
    "lift": lift,
    "spark": spark,
    "mrr": mrr,
    "backfill": backfill,
}
