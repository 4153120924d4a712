"""An expression that comes again is not compiled again, and what differs is never mixed up."""

from __future__ import annotations

import gc
import weakref
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pytest
from ibis.backends.sql.compilers.duckdb import DuckDBCompiler

from rekindle.config import LifecycleSettings
from rekindle.facts.engines import texts
from rekindle.facts.engines.duckdb import DuckDBEngine, PerThread
from rekindle.facts.engines.texts import Memory, find_shape
from rekindle.profiles import build_profiles
from rekindle.testing.small_shop import Sale, SmallShop
from tests.facts.engines.building import by_hand
from tests.subscriptions.businesses import Business, subscription

AUTUMN = datetime(2024, 10, 27, 1, 30, tzinfo=ZoneInfo("Europe/London"))


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what Ibis was asked to compile, with nothing remembered from before."""
    asked: list[Any] = []
    real = DuckDBCompiler.to_sqlglot

    def spy(self: Any, expression: Any, **how: Any) -> Any:
        asked.append(expression)
        return real(self, expression, **how)

    monkeypatch.setattr(DuckDBCompiler, "to_sqlglot", spy)
    monkeypatch.setattr(texts, "_texts", Memory(500))
    return asked


def engine() -> DuckDBEngine:
    root = duckdb.connect()
    root.execute("create table bought as select unnest([1, 2, 3]) as n")
    return DuckDBEngine(PerThread.from_connection(root), currency="GBP", zone="UTC")


def bought(of: DuckDBEngine) -> ir.Table:
    return of._con.table("bought")


def test_another_engine_is_asked_the_same_without_compiling(compiled: list[Any]) -> None:
    engines = [engine(), engine()]
    compiled.clear()
    for number, one in enumerate(engines):
        one._con.con.execute(f"insert into bought values ({number})")
        table = bought(one)
        assert one.scalar(table.n.sum()) == 6 + number
        kept = one.keep("big", table.filter(table.n > 1))
        assert one.scalar(kept.count()) == 2
    assert len(compiled) == 3


def test_a_table_of_another_shape_is_another_question() -> None:
    first, second = engine(), engine()
    second._con.con.execute("create or replace table bought as select 'a' as n, 2 as more")
    shapes = [find_shape(bought(one)) for one in (first, second)]
    assert shapes[0] != shapes[1]
    assert second.run(bought(second)).column_names == ["n", "more"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (1, 1.0),
        (0.0, -0.0),
        (-1, -2),
        ("1", 1),
        (AUTUMN, AUTUMN.replace(fold=1)),
        (timedelta(days=1), timedelta(hours=23)),
    ],
)
def test_values_that_compare_alike_are_kept_apart(one: Any, other: Any) -> None:
    shapes = {find_shape(ibis.literal(value).name("x")) for value in (one, other)}
    assert len(shapes) == 2


def test_the_order_of_columns_matters() -> None:
    table = ibis.table({"a": "int64", "b": "int64"}, name="t")
    assert find_shape(table.select("a", "b")) != find_shape(table.select("b", "a"))
    assert find_shape(table.a - table.b) != find_shape(table.b - table.a)


def test_a_text_remembered_is_the_text_of_the_expression() -> None:
    one = engine()
    table = bought(one)
    questions = [table.filter(table.n > at).mutate(m=table.n + at) for at in range(4)]
    for question in (*questions, *questions):
        assert one._con.compile(question) == str(
            DuckDBCompiler().to_sqlglot(question).sql("duckdb")
        )


def test_the_number_of_an_import_is_a_gap_and_a_small_number_is_none(compiled: list[Any]) -> None:
    one = engine()
    table, newest = bought(one), 1_767_225_600_000_000
    compiled.clear()
    for number in (newest, newest + 1, newest + 99, newest - 7):
        question = table.filter((table.n + newest) >= number)
        assert len(one.run(question)) == (0 if number == newest + 99 else 3)
    assert len(compiled) == 3
    for number in range(4):
        assert len(one.run(table.filter(table.n > number))) == max(0, 3 - number)
    assert len(compiled) == 7


def test_rows_from_outside_are_never_those_of_another() -> None:
    one = engine()
    for value in (7, 8):
        table = one.bring("rows", pa.table({"n": [value]}))
        assert one.scalar(table.n.max()) == value
        assert one.scalar(ibis.memtable(pa.table({"n": [value]})).n.max()) == value
    assert find_shape(ibis.memtable({"n": [1]})) is None


def test_a_table_may_be_kept_of_its_own_rows() -> None:
    one = engine()
    kept = one.keep("some", bought(one))
    again = one.keep("some", kept.mutate(n=kept.n + 1))
    assert one.scalar(again.n.sum()) == 9


def test_a_condition_as_long_as_a_book_is_answered() -> None:
    one = engine()
    table = bought(one)
    condition = table.n == 1
    for number in range(2, 400):
        condition = condition | (table.n == number)
    assert one.scalar(table.filter(condition).count()) == 3


def test_what_is_remembered_holds_no_engine() -> None:
    one = engine()
    one.scalar(bought(one).n.sum())
    held = weakref.ref(one._con)
    del one
    gc.collect()
    assert held() is None


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "MOST_SHAPES", 50)
    monkeypatch.setattr(texts, "_texts", Memory(5))
    one = engine()
    table = bought(one)
    for number in range(30):
        assert one.scalar((table.n + number).sum()) == 6 + 3 * number
    assert len(texts._texts) <= 5
    assert len(texts._shapes) < 80


def asked_about(of: ir.Table, first: Any, last: Any) -> ir.Table:
    """Return a question about two instants or days, one of them said twice."""
    return of.filter(of.at >= first, of.at < last).mutate(since=first, is_new=of.at == last)


INSTANTS = [
    datetime(2024, 2, 29, tzinfo=UTC),
    datetime(2024, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2024, 3, 1, 12, 7, 9, 1, tzinfo=UTC),
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, tzinfo=UTC),
]
DAYS = [instant.date() for instant in INSTANTS]


@pytest.mark.parametrize(("kind", "values"), [("timestamp('UTC')", INSTANTS), ("date", DAYS)])
def test_the_same_of_another_instant_is_the_text_of_the_expression(
    kind: str, values: list[Any], compiled: list[Any]
) -> None:
    one = engine()
    table = ibis.table({"at": kind}, name="happened")
    pairs = [(first, last) for first in values for last in values]
    expected = [str(ibis.to_sql(asked_about(table, *pair), dialect="duckdb")) for pair in pairs]
    compiled.clear()
    questions = [asked_about(table, *pair) for pair in pairs]
    found = [one._con.compile(question, pretty=True) for question in questions]
    assert found == expected
    # Two that differ and two that are the same, each once to know and once to see.
    assert len(compiled) == 4


@pytest.mark.long
@pytest.mark.draws(1)
@pytest.mark.parametrize("as_of", INSTANTS[:3])
def test_a_profile_of_another_instant_is_the_text_of_the_expression(as_of: datetime) -> None:
    one = SmallShop([Sale("ann", INSTANTS[0])]).engine()
    facts = one.facts()
    for at in (*INSTANTS[:3], as_of):
        question = by_hand(facts, at, LifecycleSettings())
        assert one._con.compile(question) == str(
            DuckDBCompiler().to_sqlglot(question).sql("duckdb")
        )
    one.close()


@pytest.mark.long
def test_a_profile_of_subscribers_is_compiled_at_two_instants_alone(compiled: list[Any]) -> None:
    one = Business([subscription("s", "ann", "2024-07-01", mrr=9)]).shop().engine()
    facts, began = one.facts(), datetime(2024, 7, 1, tzinfo=UTC)
    asked, found = [], []
    for day in range(4):
        compiled.clear()
        question = build_profiles(facts, began + timedelta(days=day), LifecycleSettings())
        found.append(one.run(question).num_rows)
        asked.append(len(compiled))
    one.close()
    assert found == [0, 1, 1, 1]
    assert asked[2:] == [0, 0]


@ibis.udf.scalar.python  # type: ignore[untyped-decorator]
def _twice(n: int) -> int:
    return 2 * n


def test_a_function_of_python_is_brought_along_each_time() -> None:
    one = engine()
    table = bought(one)
    assert find_shape(table.mutate(twice=_twice(table.n))) is None
    one.close()


# What looks like the first day that is compiled, or like the second.
@pytest.mark.parametrize("place", [0, 1])
def test_words_that_look_like_a_day_stay(place: int) -> None:
    one = engine()
    days = [DAYS[0], DAYS[2], *DAYS]
    words = f"MAKE_DATE({days[place].year}, {days[place].month}, {days[place].day})"
    for day in days:
        said = one.run(bought(one).mutate(words=ibis.literal(words), on=ibis.literal(day)))
        assert set(said["words"].to_pylist()) == {words}
        assert set(said["on"].to_pylist()) == {day}


def test_instants_of_a_zone_are_kept_apart() -> None:
    shapes = [find_shape(ibis.literal(at).name("x")) for at in (AUTUMN, AUTUMN.replace(hour=3))]
    assert None not in shapes
    assert len({shape.number for shape in shapes if shape}) == 2
