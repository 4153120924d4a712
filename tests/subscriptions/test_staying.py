"""How long those stay who came back by a subscription; every figure counted by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import ibis
import pytest

from rekindle.facts import Engine, open_warehouse
from rekindle.insights import (
    MeasureTable,
    Membership,
    build_queries,
    gather,
    measure,
    measure_tables,
)
from rekindle.insights.measures.catalogue import TIME_RUNS
from rekindle.insights.measures.model import MeasuredPeople, Value
from rekindle.testing.small_shop import CURRENCY, Sale, SmallShop
from rekindle.vocabulary import Unknown
from tests.insights.test_report import START, member, record
from tests.subscriptions.businesses import Business, Row, subscription

LATER = START + timedelta(days=400)
GOLD: dict[str, Any] = {"amount": 10, "interval": "month"}
MONTH = 365.25 / 12


def people() -> Iterator[Row]:
    """Yield forty who are back on 11 March: ten stay 30 days, ten 120, and twenty are there."""
    for n in range(40):
        left = {0: "2024-04-10", 1: "2024-07-09"}.get(n // 10)
        yield subscription(f"a{n}", f"p{n}", "2023-01-01", "2024-02-01", **GOLD)
        yield subscription(f"b{n}", f"p{n}", "2024-03-11", left, **GOLD)


def others() -> Iterator[Row]:
    """Yield sixty who come first that day, twelve of whom stay 60 days, and some to leave out."""
    for n in range(60):
        left = "2024-05-10" if n < 12 else None
        yield subscription(f"f{n}", f"first{n}", "2024-03-11", left, **GOLD)
    for n in range(30):
        yield subscription(f"e{n}", f"early{n}", "2024-03-09", "2024-03-20", **GOLD)
        yield subscription(f"o{n}", f"old{n}", "2022-01-01", "2022-03-01", **GOLD)
        yield subscription(f"q{n}", f"old{n}", "2024-03-11", "2024-03-20", **GOLD)


CLUB = Business([*people(), *others()])


@pytest.fixture(scope="module", params=["duckdb", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "duckdb":
        found = CLUB.shop().engine()
        yield found
        found.close()
        return
    url = request.getfixturevalue("postgres_url")
    con = ibis.connect(url)
    CLUB.shop().load_into(con)
    found = open_warehouse(url, currency=CURRENCY, zone="UTC")
    yield found
    found.close()
    for name in CLUB.shop().tables():
        con.drop_table(name)
    con.disconnect()


def measured(engine: Engine, until: datetime = LATER, **options: Any) -> MeasureTable:
    return measure(gathered(engine, until), about="back", **options)


def gathered(engine: Engine, until: datetime = LATER, *later: Membership) -> MeasuredPeople:
    one = record([*(member(f"p{n}") for n in range(40)), *later], until=until)
    return gather([one], engine.facts(), engine, until_on=until.date())


def value(table: MeasureTable, name: str, group: str = "all") -> Value:
    return table.values[group][name]


@pytest.mark.long
def test_who_came_back_is_followed_by_their_subscription_beside_first_timers(
    engine: Engine,
) -> None:
    table = measured(engine)
    assert (value(table, "retained").figure, value(table, "retained").base) == (30, 40)
    stays, lapses = value(table, "subsequent_retention"), value(table, "second_lapse")
    assert [stays.figure, stays.beside] == pytest.approx([0.75, 0.8])
    assert [lapses.figure, lapses.beside] == pytest.approx([0.5, 0.2])
    assert stays.low is not None
    assert stays.high is not None
    assert stays.low < 0.75 < stays.high
    brought = (30 * 10 * 90 + 10 * 10 * 30) / MONTH / 40
    assert value(table, "subsequent_revenue").figure == pytest.approx(brought)
    rows = {row[0]: row for one in measure_tables(table) for row in one.rows}
    assert rows["subsequent retention"][-1] == "first-time subscribers: 80.0 %"


@pytest.mark.long
def test_first_timers_who_left_and_entered_later_are_compared_with(engine: Engine) -> None:
    entered_at = START + timedelta(days=120)
    later = [member(f"first{n}", entered_at=entered_at) for n in range(12)]
    table = measure(gathered(engine, LATER, *later), about="back")
    assert value(table, "subsequent_retention").beside == pytest.approx(0.8)


@pytest.mark.long
def test_who_left_later_was_there_on_an_earlier_day(engine: Engine) -> None:
    early = START + timedelta(days=31)
    found = gathered(engine, early)
    table = measure(found, about="back")
    assert {one.stay for one in found.subjects} == {(21, False)}
    assert value(table, "retained").figure == TIME_RUNS
    assert value(table, "subsequent_revenue").figure == TIME_RUNS
    assert isinstance(value(table, "second_lapse").figure, Unknown)
    spring = gathered(engine, datetime(2024, 4, 10, tzinfo=UTC)).subjects
    assert sum(one.stay == (30, True) for one in spring) == 10


@pytest.mark.long
def test_silence_is_counted_since_they_left(engine: Engine) -> None:
    assert list(measured(engine, by="silence").values) == ["all", "0–29 days"]


@pytest.mark.long
def test_the_questions_behind_it_are_of_stays(engine: Engine) -> None:
    asked = build_queries(record([member("p0")]), engine.facts(), engine)
    for name in ("after", "peers", "later_revenue"):
        query = asked[name]
        assert not isinstance(query, Unknown)
        assert "subscriptions" in engine.write_query(query)


@pytest.mark.long
def test_who_left_on_the_day_of_the_return_stayed_for_no_day() -> None:
    back = subscription("b", "p0", "2024-03-11", **GOLD)
    back["ended_at"] = back["started_at"] + timedelta(hours=3)
    rows = [subscription("a", "p0", "2023-01-01", "2024-02-01", **GOLD), back]
    engine = Business(rows).shop().engine()
    one = gather([record([member("p0")])], engine.facts(), engine, until_on=LATER.date())
    engine.close()
    assert [subject.stay for subject in one.subjects] == [(0, True)]


@pytest.mark.long
def test_another_plan_on_the_same_day_is_no_second_lapse() -> None:
    rows = [
        subscription("a", "p0", "2023-01-01", "2024-02-01", **GOLD),
        subscription("b", "p0", "2024-03-11", "2024-03-20", **GOLD),
        subscription("c", "p0", "2024-03-20", **GOLD),
    ]
    rows[2]["started_at"] += timedelta(hours=3)
    engine = Business(rows).shop().engine()
    until = START + timedelta(days=40)
    one = gather([record([member("p0")])], engine.facts(), engine, until_on=until.date())
    engine.close()
    assert [subject.stay for subject in one.subjects] == [(30, False)]


def test_where_there_are_orders_whoever_is_back_by_a_subscription_alone_is_counted_out() -> None:
    when = datetime(2024, 3, 10, tzinfo=UTC)
    sales = tuple(Sale(f"s{n}", when, Decimal(20)) for n in range(3))
    shop = replace(CLUB.shop(), sales=sales)
    assert isinstance(shop, SmallShop)
    engine = shop.engine()
    one = record([member(name) for name in ("p0", "p1", "s0", "s1", "s2")], until=LATER)
    table = measure(gather([one], engine.facts(), engine, until_on=LATER.date()), about="back")
    engine.close()
    assert value(table, "returned").figure == 5
    assert value(table, "second_lapse").base == 3
    assert any("2 people came back by a subscription alone" in note for note in table.notes)
