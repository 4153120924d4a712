"""Subscribers: movements of MRR beside one group-by of the same rows."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import ibis

from bench.measure import Result, compare
from bench.worlds import WORK, make_file
from rekindle.facts import Engine
from rekindle.facts.contracts import CONTRACTS
from rekindle.subscriptions import OURS, build_months, build_movements

END = datetime(2025, 1, 1, tzinfo=UTC)
SUBSCRIPTIONS = 1_000_000


def mrr() -> Result:
    """Movements of 1,000,000 subscriptions by month against one group-by of the same rows."""
    begun, changed = _subscriptions(), _changes()
    engine = _engine_over({"subscriptions": begun, "subscription_changes": changed})
    expression = build_months(build_movements(engine.facts(), END, OURS))
    plain = duckdb.connect()
    same_rows = f"""
        select customer_id, started_at as happened_at, amount from '{begun}'
        union all
        select customer_id, ended_at, -amount from '{begun}' where ended_at is not null
        union all
        select s.customer_id, c.changed_at, c.amount
        from '{changed}' as c join '{begun}' as s using (subscription_id)"""
    group_by = f"""
        create or replace temp table t as
        select customer_id, date_trunc('month', happened_at) as month, count(*), sum(amount)
        from ({same_rows}) group by all"""
    return compare(
        lambda: engine.keep("movements", expression),
        lambda: plain.execute(group_by),
        rounds=3,
        limit=10,
        note="movements of MRR of 1 M subscriptions over 36 months, by month ÷ DuckDB count and "
        "sum of the same rows by customer and month",
        by_processor=True,
    )


def _subscriptions() -> Path:
    """Return 1,000,000 subscriptions of 800,000 people, a third of which ended, over 36 months."""
    path = WORK / f"subscriptions_{SUBSCRIPTIONS}.parquet"
    make_file(
        path,
        f"""select 'biller' as source, 's' || i as subscription_id,
                   'c' || (i * 7919 % 800000) as customer_id,
                   timestamptz '2022-01-01 00:00:00+00' + to_hours(i * 104729 % 26000)
                       as started_at,
                   case when i % 3 = 0 then timestamptz '2022-01-01 00:00:00+00'
                       + to_hours(i * 104729 % 26000 + 24 * (20 + i * 31 % 700)) end as ended_at,
                   'plan ' || (i % 5) as plan, (10 + i % 90)::decimal(18, 4) as amount,
                   'month' as interval, 1::bigint as interval_count, 'GBP' as currency,
                   false as is_trial
            from range({SUBSCRIPTIONS}) as t(i)""",
    )
    return path


def _changes() -> Path:
    """Return 300,000 changes of price."""
    path = WORK / "subscription_changes_300000.parquet"
    make_file(
        path,
        """select 'biller' as source, 's' || (i * 3) as subscription_id,
                  timestamptz '2022-01-01 00:00:00+00'
                      + to_hours(i * 3 * 104729 % 26000 + 24 * (5 + i % 200)) as changed_at,
                  'plan ' || (i % 7) as plan, (15 + i % 80)::decimal(18, 4) as amount,
                  'month' as interval, 1::bigint as interval_count, 'GBP' as currency
           from range(300000) as t(i)""",
    )
    return path


def _engine_over(files: dict[str, Path]) -> Engine:
    """Return the facts engine over these tables, with every other table and column empty."""
    con = ibis.duckdb.connect()
    con.raw_sql("set TimeZone = 'UTC'")
    for contract in CONTRACTS.facts:
        con.create_table(f"no_{contract.table}", schema=contract.schema)
        given = f"select * from no_{contract.table}"
        if contract.table in files:
            given += f" union all by name select * from '{files[contract.table]}'"
        con.raw_sql(f"create view {contract.table} as {given}")
    return Engine(con, currency="GBP", zone="UTC")
