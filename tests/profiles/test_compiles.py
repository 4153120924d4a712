"""What is built on the facts is SQL for the warehouses that cannot be run here."""

from __future__ import annotations

from datetime import UTC, datetime

import ibis
import ibis.expr.types as ir
import pytest

from rekindle.audiences import build_condition, parse_predicate
from rekindle.config import LifecycleSettings
from rekindle.facts import CONTRACTS, Facts
from rekindle.profiles import build_block, build_profiles, find_blocks

WAREHOUSES = (
    "bigquery",
    "clickhouse",
    "databricks",
    "duckdb",
    "materialize",
    "mysql",
    "oracle",
    "postgres",
    "risingwave",
    "snowflake",
    "trino",
)
AT = datetime(2024, 7, 1, tzinfo=UTC)
PREDICATE = (
    "tier in ('lapsed', 'dormant') and lifetime_value > 500 and top_category like 'sho%' "
    "and (last_order_on < date '2024-01-01' or refill_due_on is null) and not has_email"
)


@pytest.fixture(scope="module")
def profiles() -> ir.Table:
    return build_profiles(facts_of_tables(), AT, LifecycleSettings())


def facts_of_tables() -> Facts:
    tables = {c.table: ibis.table(c.schema, name=c.table) for c in CONTRACTS.facts}
    more = {c.table: tables.pop(c.table) for c in CONTRACTS.further}
    # Subscriptions are read where an engine has a local clock (LOCAL_CLOCKS).
    return Facts(**tables, currency="GBP", zone="Europe/London", more=more, has_subscriptions=False)


@pytest.mark.long
@pytest.mark.draws(5)
@pytest.mark.parametrize("warehouse", WAREHOUSES)
def test_profiles_compile(profiles: ir.Table, warehouse: str) -> None:
    assert "value_band" in ibis.to_sql(profiles, dialect=warehouse).lower()


@pytest.mark.long
@pytest.mark.draws(4)
@pytest.mark.parametrize("warehouse", WAREHOUSES)
def test_an_audience_compiles(profiles: ir.Table, warehouse: str) -> None:
    matching = profiles.filter(build_condition(parse_predicate(PREDICATE), profiles))
    assert "sho%" in ibis.to_sql(matching, dialect=warehouse)


@pytest.fixture(scope="module")
def blocks() -> dict[str, ir.Table]:
    people, facts = ibis.table({"customer_id": "string"}, name="people"), facts_of_tables()
    return {
        name: build_block(found, facts, people, AT, never=("POST",))
        for name, found in find_blocks().items()
    }


@pytest.mark.draws(8)
@pytest.mark.parametrize("warehouse", WAREHOUSES)
@pytest.mark.parametrize("block", sorted(find_blocks()))
def test_a_block_compiles(blocks: dict[str, ir.Table], block: str, warehouse: str) -> None:
    # Of every column that is shown, one that nothing before it has.
    last = "image" if find_blocks()[block].tell is None else "until"
    assert last in ibis.to_sql(blocks[block], dialect=warehouse).lower()
