"""What a predicate means, on every engine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from rekindle.audiences import build_condition, parse_predicate
from rekindle.audiences.checking import CHECKS
from rekindle.audiences.compiling import _BUILDERS
from rekindle.errors import PredicateError

PEOPLE = pa.table(
    {
        "customer_id": ["ann", "bob", "cem"],
        "tier": ["lapsed", "active", "prospect"],
        "lifetime_value": pa.array(
            [Decimal("500.0001"), Decimal("20.0000"), Decimal(0)], pa.decimal128(18, 4)
        ),
        "orders_count": pa.array([3, 1, 0], pa.int64()),
        "last_order_on": pa.array([date(2010, 3, 1), date(2010, 12, 1), None], pa.date32()),
        "last_order_at": pa.array(
            [datetime(2010, 3, 1, 10, tzinfo=UTC), datetime(2010, 12, 1, tzinfo=UTC), None],
            pa.timestamp("us", "UTC"),
        ),
        "top_category": ["shoes", None, None],
        "country": ["DE", None, "GB"],
        "has_email": [True, False, False],
        "as_of_on": pa.array([date(2010, 12, 9)] * 3, pa.date32()),
    }
)


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def people(request: pytest.FixtureRequest) -> Iterator[ir.Table]:
    if request.param == "duckdb":
        con: Any = ibis.duckdb.connect()
        con.raw_sql("set TimeZone = 'UTC'")
        yield con.create_table("people", PEOPLE)
        return
    con = ibis.connect(request.getfixturevalue("postgres_url"))
    con.create_table("people", schema=ibis.memtable(PEOPLE).schema(), overwrite=True)
    con.insert("people", PEOPLE)
    yield con.table("people")
    con.drop_table("people")
    con.disconnect()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tier = 'lapsed' and lifetime_value > 500", {"ann"}),
        ("lifetime_value > 500.0001", set()),
        ("lifetime_value between 20 and 500.5", {"ann", "bob"}),
        ("lifetime_value / orders_count > 100", {"ann"}),
        ("orders_count * 2 - 1 >= 1", {"ann", "bob"}),
        ("orders_count + 1 in (1, 2)", {"bob", "cem"}),
        ("abs(-orders_count) > 2", {"ann"}),
        ("last_order_on < current_date - interval 30 days", {"ann"}),
        ("last_order_on + interval 8 days = current_date", {"bob"}),
        ("last_order_on in ('2010-03-01', '2010-03-02')", {"ann"}),
        ("last_order_at >= timestamp '2010-03-01 10:00:00'", {"ann", "bob"}),
        ("last_order_at > '2010-03-01T11:00:00+01:00'", {"bob"}),
        ("coalesce(last_order_on, '2000-01-01') < '2010-06-01'", {"ann", "cem"}),
        ("coalesce(last_order_at, '2000-01-01T00:00:00+00:00') < '2010-06-01'", {"ann", "cem"}),
        ("lifetime_value - 0.0001 - 500 = 0", {"ann"}),
        ("0 = lifetime_value - 19.9 - 0.1", {"bob"}),
        ("has_email", {"ann"}),
        ("has_email is false", {"bob", "cem"}),
        ("not has_email or tier <> 'prospect'", {"ann", "bob", "cem"}),
        ("upper(top_category) like 'SH%'", {"ann"}),
        ("country ilike 'd_'", {"ann"}),
        ("country not like 'D%'", {"cem"}),
        ("country not ilike 'g%'", {"ann"}),
        ("country not in ('DE', 'FR')", {"cem"}),
        ("orders_count not between 1 and 2", {"ann", "cem"}),
        ("(country = 'DE') is not true", {"bob", "cem"}),
        ("last_order_at > date '2010-03-01'", {"ann", "bob"}),
        (" or ".join(["tier = 'lapsed'"] * 200), {"ann"}),
        (" and ".join(["(has_email or orders_count > 0)"] * 100), {"ann", "bob"}),
        ("coalesce(country, 'FR') = 'FR'", {"bob"}),
        ("trim(lower(country)) = 'gb'", {"cem"}),
        ("(tier = 'active' or tier = 'prospect') and country is not null", {"cem"}),
        ("false", set()),
    ],
)
def test_a_condition_picks_the_same_people_on_every_engine(
    people: ir.Table, text: str, expected: set[str]
) -> None:
    assert matching(people, text) == expected


def test_what_is_not_known_does_not_match(people: ir.Table) -> None:
    assert matching(people, "country = 'DE'") == {"ann"}
    assert matching(people, "not (country = 'DE')") == {"cem"}
    assert matching(people, "lifetime_value / (orders_count - 1) > 0") == {"ann"}


def test_every_node_that_is_checked_can_be_built_once_behaviours_are_bound() -> None:
    assert CHECKS.keys() - {exp.Anonymous} == _BUILDERS.keys()


WORDS = """
    tier lifetime_value orders_count last_order_on last_order_at country has_email current_date
    'lapsed' 'DE' '2010-03-01' 5 2.5 -1 0 true null and or not = <> < >= + - * / ( ) in between
    like is coalesce( abs( lower( , interval 30 days date
""".split()  # noqa: SIM905 - a sentence is easier to read than forty quoted words


@pytest.mark.long
@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=9).map(" ".join))
def test_what_is_taken_can_be_asked(text: str) -> None:
    try:
        predicate = parse_predicate(text)
    except PredicateError:
        return
    con = ibis.duckdb.connect()
    table = con.create_table("people", PEOPLE)
    table.filter(build_condition(predicate, table)).to_pyarrow()
    con.disconnect()


def matching(people: ir.Table, text: str) -> set[str]:
    rows = people.filter(build_condition(parse_predicate(text), people)).select("customer_id")
    return set(rows.to_pyarrow().column(0).to_pylist())
