"""Subscribers: movements of MRR beside one group-by, and a back-fill beside a bare loop."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import ibis
import stripe

from bench.measure import Result, compare
from bench.worlds import WORK, make_file
from rekindle.billing import find_billers
from rekindle.billing.gathering import gather
from rekindle.clock import MovableClock
from rekindle.config import BillingSettings
from rekindle.facts import Engine
from rekindle.facts.contracts import CONTRACTS
from rekindle.subscriptions import OURS, build_months, build_movements
from rekindle.testing.biller import running_biller

END = datetime(2025, 1, 1, tzinfo=UTC)
SUBSCRIPTIONS = 1_000_000
PEOPLE = 20_000  # each a customer, a subscription, an invoice, its payment and a charge
VERSION = "2026-10-28.endive"
KINDS = ("customers", "subscriptions", "invoices", "invoice_payments", "charges")
SECRETS = {
    "REKINDLE_STRIPE_KEY": "sk_test_fake",
    "REKINDLE_STRIPE_WEBHOOK_SECRET": "whsec_test",
}


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


def backfill() -> Result:
    """A back-fill of 100,000 objects against a bare loop of the library that keeps nothing."""
    with _biller() as url, tempfile.TemporaryDirectory(dir=WORK) as made:
        settings = BillingSettings(provider="stripe", url=url)
        ours, folder = find_billers()["stripe"].build(settings, SECRETS), Path(made) / "stripe"
        client = stripe.StripeClient(
            "sk_test_fake", stripe_version=VERSION, base_addresses={"api": url}
        )

        def pull() -> None:
            shutil.rmtree(folder, ignore_errors=True)
            gather(ours, folder, now=END)

        def loop() -> None:
            listed: Any = client.v1
            for kind in KINDS:
                wanted = {"limit": 100, **({"status": "all"} if kind == "subscriptions" else {})}
                for _ in getattr(listed, kind).list(wanted).auto_paging_iter():
                    pass

        return compare(
            pull,
            loop,
            rounds=1,
            limit=2,
            note="back-fill of 100,000 objects from the local server, kept page by page ÷ a bare "
            "loop of the library",
            by_processor=True,
        )


@contextmanager
def _biller() -> Iterator[str]:
    """Run the biller in a process of its own, and yield where it listens."""
    serving = subprocess.Popen(
        [sys.executable, "-m", "bench.subscribers"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert serving.stdout is not None
        yield serving.stdout.readline().strip()
    finally:
        serving.communicate()  # closes what it waits for


def _serve() -> None:
    with running_biller(MovableClock(END)) as fake:
        price = fake.world.add_plan()["id"]
        for number in range(PEOPLE):
            customer = fake.world.add_customer(f"c{number}@example.com")["id"]
            fake.world.add_card(customer)
            fake.world.subscribe(customer, price)
        print(fake.url, flush=True)
        sys.stdin.read()


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


if __name__ == "__main__":
    _serve()
