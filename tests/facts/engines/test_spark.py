"""The whole loop on Spark gives what it gives on DuckDB: one JVM, one shop, one journey."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from rekindle.desk import build_plan, count_audience, replay_journey, report_journey
from rekindle.errors import ConfigError
from rekindle.facts import CONTRACTS
from rekindle.facts.engines.restating import Restating
from rekindle.profiles import build_block, find_blocks
from rekindle.subscriptions import build_states
from rekindle.testing.small_shop import CURRENCY, Sale, SmallShop
from tests.facts.engines.java import make_java_home
from tests.profiles.conftest import day
from tests.profiles.test_basket import all_ordered, all_rows, price
from tests.runtime.shops import NOW, Team, add_section
from tests.subscriptions.abroad import RATES, told_abroad
from tests.subscriptions.businesses import random_business

# One worker takes all tests of a module: one JVM starts.

pytestmark = [
    # Spark's own client leaves the sockets of its results to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

FACTS = """
[facts]
engine = "spark"
[facts.options]
"spark.sql.shuffle.partitions" = "1"
"spark.sql.codegen.wholeStage" = "false"
"spark.sql.codegen.factoryMode" = "NO_CODEGEN"
"spark.sql.adaptive.enabled" = "false"
"spark.driver.host" = "127.0.0.1"
"""
PREDICATE = "tier in ('lapsed', 'dormant') and value_band <> 'low'"
Teams = tuple[Team, Team]


@pytest.fixture(scope="module")
def java(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Let Spark find a Java, and stop it at the end."""
    home = make_java_home(tmp_path_factory.mktemp("java"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_HOME", str(home))
        yield home
        from pyspark.sql import SparkSession

        if session := SparkSession.getActiveSession():
            session.stop()


@pytest.fixture(scope="module")
def teams(
    java: Path, imported_shop: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Teams]:
    """Yield two teams over copies of one shop: the second one's engine is Spark."""
    folders = [tmp_path_factory.mktemp(name) / "shop" for name in ("duckdb", "spark")]
    for folder in folders:
        Team.copy(imported_shop, folder)
    warehouse = tmp_path_factory.mktemp("warehouse")
    add_section(folders[1], f'{FACTS}"spark.sql.warehouse.dir" = "{warehouse}"\n')
    found = Team.at_work(folders[0]), Team.at_work(folders[1])
    yield found
    for team in found:
        team.leave()


def rows(team: Team) -> pa.Table:
    table = team.workspace.profiles(NOW)
    return team.workspace.engine.run(table).sort_by("customer_id")


def history(team: Team) -> list[Any]:
    return [
        (one.person, one.arm, one.last_order_at, team.reasons(one.person), team.states(one.person))
        for one in sorted(team.enrolments("calm"), key=lambda one: one.person)
    ]


@pytest.mark.long
def test_profiles_are_equal_bit_by_bit(teams: Teams) -> None:
    ours, theirs = map(rows, teams)
    assert ours.schema == theirs.schema
    assert ours.equals(theirs)
    assert ours.num_rows > 250


@pytest.mark.long
def test_subscribers_stand_the_same(teams: Teams) -> None:
    rows = random_business(3).shop().tables()
    found = []
    for engine in (team.workspace.engine for team in teams):
        facts = engine.facts()
        more = {n: engine.bring(f"try_{n}", rows[n]) for n in facts.more if n in rows}
        states = build_states(replace(facts, more={**facts.more, **more}))
        found.append(
            engine.run(states).sort_by([("customer_id", "ascending"), ("at", "ascending")])
        )
    assert found[0].num_rows > 50
    ours, theirs = (table.to_pylist() for table in found)
    assert [one for one in zip(ours, theirs, strict=True) if one[0] != one[1]] == []


@pytest.mark.long
def test_baskets_wait_for_the_same(teams: Teams) -> None:
    baskets, sales = all_ordered()
    listed = price("a", (0, 10), (75, 8))
    given = SmallShop(sales, rows={"baskets": [*all_rows(), *baskets], "prices": listed}).tables()
    people = sorted({row["customer_id"] for row in given["baskets"].to_pylist()})
    found = []
    for engine in (team.workspace.engine for team in teams):
        facts = engine.facts()
        tables = {n: engine.bring(f"try_{n}", given[n]) for n in ("baskets", "prices")}
        sold = {n: engine.bring(f"try_{n}", given[n]) for n in ("orders", "order_lines")}
        facts = replace(facts, more={**facts.more, **tables}, **sold)
        asked = engine.bring("asked", pa.table({"customer_id": people}))
        block = build_block(find_blocks()["your_basket"], facts, asked, day(80))
        found.append(engine.run(block).to_pylist())
    assert found[0] == found[1]
    assert len(found[0]) > 10


@pytest.mark.long
def test_amounts_in_other_currencies_come_to_the_same(teams: Teams) -> None:
    sales = [
        Sale("ann", NOW, Decimal(n * 37).scaleb(-4), Decimal(n).scaleb(-4),
             lines=(("p", None, Decimal(n * 37).scaleb(-4)),))
        for n in range(1, 100)
    ]  # fmt: skip
    given = told_abroad(SmallShop(sales)).tables()
    found = []
    for engine in (team.workspace.engine for team in teams):
        tables = {n: engine.bring(f"try_{n}", given[n]) for n in ("orders", "order_lines")}
        restated = Restating(CURRENCY, RATES).restate(tables, ["orders"])
        told = restated["orders"].select("order_id", "gross", "discount")
        lines = restated["order_lines"].select("order_id", "amount")
        found.append([sorted(map(str, engine.run(one).to_pylist())) for one in (told, lines)])
    assert found[0] == found[1]


def test_an_order_is_worth_the_same(teams: Teams) -> None:
    ours, theirs = (
        team.workspace.engine.run(team.workspace.facts.orders).sort_by("order_id") for team in teams
    )
    assert ours == theirs
    assert ours.num_rows > 100


@pytest.mark.long
def test_an_audience_is_the_same(teams: Teams) -> None:
    ours, theirs = (count_audience(team.workspace, PREDICATE, NOW).to_json() for team in teams)
    assert ours == theirs
    assert ours["customers"] > 0


@pytest.mark.long
def test_an_audit_is_the_same(teams: Teams) -> None:
    ours, theirs = (team.workspace.audit(NOW).to_json() for team in teams)
    assert ours == theirs


@pytest.mark.long
def test_a_replay_and_its_report_are_the_same(teams: Teams) -> None:
    ours, theirs = (
        replay_journey(
            team.workspace,
            team.workspace.journey("calm"),
            first=date(2024, 3, 1),
            last=date(2024, 4, 30),
        ).to_json()
        for team in teams
    )
    assert ours == theirs
    assert ours["assigned"] != {"treatment": 0, "holdout": 0}


@pytest.mark.long
def test_a_plan_a_pass_and_its_report_are_the_same(teams: Teams) -> None:
    plans = [
        build_plan(team.workspace, team.workspace.journey("calm"), NOW).to_json() for team in teams
    ]
    assert plans[0] == plans[1]
    for team in teams:
        team.start("calm")
        team.tick()
        team.tick(after=timedelta(days=4))
    ours, theirs = map(history, teams)
    assert ours == theirs
    assert len(ours) > 10
    reports = [report_journey(team.workspace, "calm").to_json() for team in teams]
    assert reports[0] == reports[1]


@pytest.mark.long
def test_spark_reads_tables_of_its_own_catalogue(teams: Teams, tmp_path: Path) -> None:
    remote = teams[1]
    session = remote.workspace.engine._session  # type: ignore[attr-defined]
    session.sql(f"create database shop location '{tmp_path}'")
    for table in CONTRACTS:
        session.table(table).write.saveAsTable(f"shop.{table}")
    config = remote.workspace.config
    facts = config.facts.model_copy(update={"warehouse": "spark://shop", "engine": None})
    remote.workspace.config = config.model_copy(update={"facts": facts})
    remote.workspace.forget_facts()
    ours, theirs = map(rows, teams)
    assert ours.equals(theirs)


def test_an_engine_that_does_not_exist_is_named(teams: Teams) -> None:
    workspace = teams[0].workspace
    facts = workspace.config.facts.model_copy(update={"engine": "sparkle"})
    workspace.config = workspace.config.model_copy(update={"facts": facts})
    workspace.forget_facts()
    with pytest.raises(ConfigError, match="duckdb, spark, warehouse"):
        _ = workspace.engine
