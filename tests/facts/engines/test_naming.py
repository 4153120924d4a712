"""A named query answers as what it was built of does, and is built and compiled no further."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from rekindle.config import LifecycleSettings
from rekindle.facts import Engine, Facts, name_query
from rekindle.facts.engines import naming
from rekindle.facts.engines.texts import Memory
from rekindle.profiles import build_profiles
from rekindle.testing.small_shop import Sale, SmallShop
from tests.facts.engines.building import by_hand
from tests.profiles.random_shops import small_shops
from tests.subscriptions.businesses import random_business

NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
# The edges of days, months, leap years and summer time, and whatever lies between them.
EDGES = (
    datetime(2024, 2, 29, tzinfo=UTC),
    datetime(2024, 2, 29, 5, tzinfo=UTC),
    datetime(2024, 3, 1, tzinfo=UTC),
    datetime(2024, 3, 10, 7, tzinfo=UTC),
    datetime(2024, 11, 3, 5, 30, tzinfo=UTC),
    datetime(2024, 11, 3, 6, 30, tzinfo=UTC),
    datetime(2025, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC),
)
instants = st.sampled_from(EDGES) | st.datetimes(
    datetime(2023, 12, 1), datetime(2025, 12, 31), timezones=st.just(UTC)
)
SETTINGS = (LifecycleSettings(), LifecycleSettings(preset="fashion", lapsed=2.5))
COLUMNS = (None, ("customer_id", "tier"), ("customer_id", "season_on", "lapsed_after_days"))


def shop_of(*people: str, at: datetime = NEW_YEAR) -> SmallShop:
    return SmallShop([Sale(person, at) for person in people])


def rows(engine: Engine, table: ir.Table) -> list[dict[str, object]]:
    return sorted(engine.run(table).to_pylist(), key=repr)


def bought_before(facts: Facts, at: datetime) -> ir.Table:
    return facts.orders.filter(facts.orders.ordered_at < ibis.literal(at)).select("customer_id")


@pytest.fixture(autouse=True)
def queries(monkeypatch: pytest.MonkeyPatch) -> Memory[naming._Query]:
    """Return what is named, with nothing named before."""
    memory: Memory[naming._Query] = Memory(naming.MOST_QUERIES)
    monkeypatch.setattr(naming, "_queries", memory)
    return memory


@pytest.fixture
def engine() -> Iterator[Engine]:
    found = shop_of("ann", "ben").engine()
    yield found
    found.close()


@pytest.mark.long
@given(
    shop=small_shops,
    asked=st.lists(
        st.tuples(instants, st.sampled_from(SETTINGS), st.sampled_from(COLUMNS)),
        min_size=4,
        max_size=5,
    ),
)
# A shop and its questions take half a second: one that fails is shown as it was drawn.
@settings(max_examples=3, phases=[Phase.explicit, Phase.reuse, Phase.generate])
def test_a_profile_by_name_is_the_profile_as_it_is_built(
    shop: SmallShop, asked: list[tuple[datetime, LifecycleSettings, tuple[str, ...] | None]]
) -> None:
    engine = shop.engine()
    facts = engine.facts()
    for at, how, columns in asked:
        named = build_profiles(facts, at, how, columns=columns)
        assert rows(engine, named) == rows(engine, by_hand(facts, at, how, columns))
    engine.close()


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1))
def test_a_profile_of_subscribers_by_name_is_the_profile_as_it_is_built(seed: int) -> None:
    engine = random_business(seed).shop().engine()
    facts, how = engine.facts(), LifecycleSettings()
    for days in range(0, 400, 110):
        at = NEW_YEAR + timedelta(days=days, hours=seed)
        assert rows(engine, build_profiles(facts, at, how)) == rows(engine, by_hand(facts, at, how))
    engine.close()


@pytest.mark.long
def test_it_is_built_for_two_instants_and_for_no_engine_after_them(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[datetime] = []
    other = shop_of("cleo").engine()

    def ask(of: Engine, at: datetime) -> list[dict[str, object]]:
        facts = of.facts()

        def build() -> ir.Table:
            built.append(at)
            return bought_before(facts, at)

        return rows(of, name_query("bought", facts, build, instants=[at]))

    assert [len(ask(engine, NEW_YEAR + day * DAY)) for day in range(4)] == [0, 2, 2, 2]
    assert built == [NEW_YEAR, NEW_YEAR + DAY]
    assert ask(other, NEW_YEAR + 9 * DAY) == [{"customer_id": "cleo"}]
    assert len(built) == 2
    other.close()


def of_the_month(facts: Facts, at: datetime) -> ir.Table:
    return bought_before(facts, at).mutate(month=ibis.literal(at.month))


def of_the_day_before(facts: Facts, at: datetime) -> ir.Table:
    return bought_before(facts, at - DAY)


def of_another_day(facts: Facts, at: datetime) -> ir.Table:
    day = date(2024, 1, 1) if at.month % 2 else date(2024, 1, 2)
    return bought_before(facts, at).mutate(on=ibis.literal(day))


@pytest.mark.long
@pytest.mark.parametrize("build", [of_the_month, of_the_day_before, of_another_day])
def test_what_differs_in_more_than_the_instants_told_is_built_each_time(
    build: Callable[[Facts, datetime], ir.Table], engine: Engine
) -> None:
    facts = engine.facts()
    for month in (*range(1, 7), *range(1, 7)):
        at = datetime(2024, month, 1, 12, tzinfo=UTC)
        named = name_query("some", facts, lambda at=at: build(facts, at), instants=[at])  # type: ignore[misc]
        assert rows(engine, named) == rows(engine, build(facts, at))


@pytest.mark.long
def test_an_instant_that_looks_like_one_in_the_query_is_told_apart(engine: Engine) -> None:
    facts = engine.facts()

    def build(at: datetime) -> ir.Table:
        return bought_before(facts, at).mutate(since=ibis.literal(NEW_YEAR))

    for at in (NEW_YEAR, NEW_YEAR + DAY, NEW_YEAR, NEW_YEAR + 2 * DAY, NEW_YEAR + 3 * DAY):
        named = name_query("since", facts, lambda at=at: build(at), instants=[at])  # type: ignore[misc]
        assert rows(engine, named) == rows(engine, build(at))


@pytest.mark.long
def test_an_instant_of_the_facts_that_looks_like_one_of_the_query_is_told_apart(
    engine: Engine,
) -> None:
    facts, found = engine.facts(), []
    for day, until in ((1, NEW_YEAR), (2, NEW_YEAR), (3, NEW_YEAR), (4, NEW_YEAR + DAY)):
        cut = replace(facts, events=facts.events.filter(facts.events.occurred_at < until))

        def build(of: Facts = cut) -> ir.Table:
            return of.orders.select(since=ibis.literal(NEW_YEAR)).distinct()

        named = name_query("since", cut, build, instants=[NEW_YEAR + day * DAY])
        found += rows(engine, named)
    assert found == [{"since": NEW_YEAR}] * 4


def test_facts_of_another_shape_are_another_query(engine: Engine) -> None:
    facts = engine.facts()
    few = replace(facts, orders=facts.orders.limit(1))
    found = [
        len(rows(engine, name_query("all", of, lambda of=of: of.orders)))  # type: ignore[misc]
        for of in (facts, few, facts, few)
    ]
    assert found == [2, 1, 2, 1]


def test_one_question_names_a_query_at_two_instants_and_one_within_another(
    engine: Engine,
) -> None:
    facts = engine.facts()

    def bought(at: datetime) -> ir.Table:
        return name_query("bought", facts, lambda: bought_before(facts, at), instants=[at])

    def twice(at: datetime) -> ir.Table:
        return name_query(
            "twice", facts, lambda: bought(at).union(bought(at + DAY)), instants=[at, at + DAY]
        )

    for day in range(4):
        at = NEW_YEAR + (day - 1) * DAY
        question = twice(at).join(bought(at + DAY), "customer_id")
        assert len(rows(engine, question)) == {0: 0, 1: 2}.get(day, 4)
        assert "query_" in engine.write_query(question)


def test_an_instant_of_another_zone_is_answered_as_it_is_built(engine: Engine) -> None:
    facts, early = engine.facts(), datetime(2024, 10, 27, 1, 30, tzinfo=ZoneInfo("Europe/London"))
    for at in (early, early.replace(fold=1), early.replace(day=26), early.replace(month=12)):
        named = name_query("bought", facts, lambda at=at: bought_before(facts, at), instants=[at])  # type: ignore[misc]
        assert rows(engine, named) == rows(engine, bought_before(facts, at))


def test_rows_from_outside_are_brought_each_time(engine: Engine) -> None:
    facts = engine.facts()
    for value in (7, 8):
        brought = ibis.memtable(pa.table({"n": [value]}))
        assert rows(engine, name_query("brought", facts, lambda b=brought: b)) == [{"n": value}]  # type: ignore[misc]


def test_a_query_beside_a_table_that_was_brought_is_of_that_table(engine: Engine) -> None:
    facts = engine.facts()
    for name, who in (("one", "ann"), ("other", "bob"), ("one", "bob")):
        brought = engine.bring(name, pa.table({"who": [who]}))
        named = name_query("beside", facts, lambda b=brought: b.limit(1), beside=[brought])  # type: ignore[misc]
        assert rows(engine, named) == [{"who": who}]


@pytest.mark.long
def test_a_query_that_was_forgotten_is_answered_by_who_holds_it(
    engine: Engine, queries: Memory[naming._Query]
) -> None:
    facts = engine.facts()
    for number in range(naming.MOST_QUERIES + 5):
        named = name_query(number, facts, lambda: facts.orders.select("customer_id"))
        if not number:
            first = named
    assert len(queries) == naming.MOST_QUERIES
    assert len(rows(engine, first)) == 2


@pytest.mark.long
def test_what_is_named_holds_no_engine() -> None:
    one = shop_of("ann").engine()
    rows(one, build_profiles(one.facts(), NEW_YEAR, LifecycleSettings()))
    held = weakref.ref(one._con)
    del one
    gc.collect()
    assert held() is None
