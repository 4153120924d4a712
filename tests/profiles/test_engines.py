"""The same numbers on every engine, every time, in the types the catalogue says."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import ibis
import pytest

from rekindle.config import LifecycleSettings, TierDays
from rekindle.facts import CONTRACTS, Engine, open_warehouse
from rekindle.profiles import FAMILIES, build_profiles
from rekindle.testing.small_shop import CURRENCY, Card, Sale, SmallShop
from tests.profiles.conftest import DAY_0
from tests.subscriptions.businesses import random_business

ZONE = "Europe/London"
DATES = [DAY_0 + timedelta(days=days, hours=11) for days in (1, 200, 700)]
SETTINGS = LifecycleSettings(days={"hats": TierDays(at_risk=10, lapsed=20, dormant=90, gone=300)})
IBIS_TYPES = {
    "text": "string",
    "count": "int64",
    "number": "float64",
    "money": "decimal",
    "date": "date",
    "instant": "timestamp('UTC'",
    "flag": "boolean",
}


def town(seed: int = 11, people: int = 150) -> SmallShop:
    """Return a shop of many people with all that can differ between engines."""
    roll = random.Random(seed)
    sales = [
        Sale(
            roll.choice([None, *(f"p{n}" for n in range(people))]),
            DAY_0 + timedelta(minutes=roll.randrange(700 * 24 * 60)),
            gross=Decimal(roll.randrange(1_000_000)).scaleb(-4),
            discount=roll.choice([None, Decimal(0), Decimal("0.1")]),
            refund=roll.choice([None, Decimal(0), Decimal("3.3333")]),
            kind=roll.choice(["purchase"] * 6 + ["refund", "cancelled", "free"]),
            source=roll.choice(["shop", "till"]),
            lines=tuple(
                (f"a{roll.randrange(9)}", roll.choice([None, "hats", "bags", "Äpfel"]), Decimal(n))
                for n in range(roll.randrange(4))
            ),
        )
        for _ in range(people * 5)
    ]
    cards = [
        Card(
            f"p{n}",
            roll.choice([None, "GB", "Österreich"]),
            roll.choice([None, "x@example.com"]),
            renews_on=roll.choice([None, date(2024, 2, 29)]),
        )
        for n in range(0, people + 9, 2)
    ]
    products = {f"a{n}": roll.choice([None, "coats"]) for n in range(6)}
    scores = [
        {
            "source": "rekindle",
            "customer_id": f"p{n}",
            "scored_at": DAY_0 + timedelta(days=day, hours=9),
            "good_until_on": (DAY_0 + timedelta(days=day + 7)).date(),
            "return_probability": Decimal(n).scaleb(-4),
            "next_order_on": date(2024, 2, 29),
        }
        for day in (190, 199)
        for n in range(0, people, 3)
    ]
    paid = random_business(seed, people=12)
    # Some of them buy as well, and have cards.
    rows = {
        table: [{**row, "customer_id": row["customer_id"].replace("c", "p")} for row in found]
        if table not in ("subscription_changes", "pauses")
        else found
        for table, found in paid.shop().rows.items()
    }
    return SmallShop(sales, cards, products, zone=ZONE, rows={"scores": scores, **rows})


@pytest.fixture(scope="module")
def duckdb() -> Iterator[Engine]:
    engine = town().engine()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def postgres(postgres_url: str) -> Iterator[Engine]:
    con = ibis.connect(postgres_url)
    town().load_into(con)
    engine = open_warehouse(postgres_url, currency=CURRENCY, zone=ZONE)
    yield engine
    engine.close()
    for name in town().tables():
        con.drop_table(name)
    con.disconnect()


def profiles_of(engine: Engine, at: datetime) -> list[dict[str, Any]]:
    rows = engine.run(build_profiles(engine.facts(), at, SETTINGS)).to_pylist()
    return sorted(rows, key=lambda row: str(row["customer_id"]))


@pytest.mark.draws(1)
@pytest.mark.parametrize("at", DATES)
def test_postgres_gives_the_numbers_of_duckdb(
    duckdb: Engine, postgres: Engine, at: datetime
) -> None:
    ours, theirs = profiles_of(duckdb, at), profiles_of(postgres, at)
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        floats = [name for name, value in one.items() if isinstance(value, float)]
        near = {name: pytest.approx(one[name], rel=1e-12) for name in floats}
        assert other == {**one, **near}


@pytest.mark.long
def test_the_same_question_has_one_answer(duckdb: Engine) -> None:
    first = profiles_of(duckdb, DATES[-1])
    assert all(profiles_of(duckdb, DATES[-1]) == first for _ in range(3))


def test_columns_are_as_the_catalogue_says(duckdb: Engine) -> None:
    schema = build_profiles(duckdb.facts(), DATES[0], SETTINGS).schema()
    assert schema.names == FAMILIES.names
    assert [
        (column.name, str(schema[column.name]))
        for column in FAMILIES.columns
        if not str(schema[column.name]).lstrip("!").startswith(IBIS_TYPES[column.type])
    ] == []


def test_rows_are_added_to_a_warehouse_that_lacks_the_table(postgres: Engine) -> None:
    """What models foresee is kept where the facts are."""
    contract = CONTRACTS["scores"]
    rows = town().tables()["scores"]
    postgres._con.drop_table("scores")
    for _ in range(2):
        postgres.write(contract, rows)
    kept = postgres.run(postgres._con.table("scores").cast(contract.schema))
    assert kept.num_rows == 2 * rows.num_rows
    assert set(kept["scored_at"].to_pylist()) == set(rows["scored_at"].to_pylist())
