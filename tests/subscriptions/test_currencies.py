"""MRR of several currencies is in one, and no rate moves it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import ibis
import pytest

from rekindle.facts import Engine, open_warehouse
from rekindle.insights.subscribers import SubscriptionAudit, build_subscriptions
from rekindle.subscriptions import OURS, Definition, build_movements
from rekindle.testing.small_shop import CURRENCY, SmallShop
from tests.subscriptions.abroad import RATES, told_abroad, told_at_home
from tests.subscriptions.businesses import NOW, Business, at, change, require_closing, subscription
from tests.subscriptions.test_movements import SOME, told, town

SEEDS = (3, 4, 5)


def audited(engine: Engine) -> SubscriptionAudit:
    found = build_subscriptions(engine.facts(), engine.run, as_of=NOW, definition=OURS)
    assert found is not None
    return found


def moves(shop: SmallShop) -> list[tuple[str, str, Decimal]]:
    engine = shop.engine()
    rows = engine.run(build_movements(engine.facts(), NOW, OURS).order_by("on")).to_pylist()
    engine.close()
    return [(row["on"].isoformat(), row["movement"], row["amount"]) for row in rows]


@pytest.fixture(params=SEEDS)
def shop(request: pytest.FixtureRequest) -> SmallShop:
    return told_abroad(town(request.param).shop(), request.param)


@pytest.fixture
def local(shop: SmallShop) -> Iterator[Engine]:
    engine = shop.engine()
    yield engine
    engine.close()


@pytest.mark.long
@pytest.mark.draws(2)
@pytest.mark.parametrize("definition", SOME, ids=lambda one: one.name)
def test_opening_and_movements_are_closing_in_every_month(
    local: Engine, definition: Definition
) -> None:
    found = build_subscriptions(local.facts(), local.run, as_of=NOW, definition=definition)
    assert found is not None
    require_closing(found)


@pytest.mark.long
def test_the_figures_are_those_of_amounts_worked_out_by_hand(
    shop: SmallShop, local: Engine
) -> None:
    by_hand = told_at_home(shop).engine()
    found = audited(local)
    assert found.notes[0] == (
        "Amounts are in GBP; EUR at 0.86, JPY at 0.0053, KWD at 2.5731234567, USD at 0.7931."
    )
    assert replace(found, notes=found.notes[1:]).to_json() == audited(by_hand).to_json()
    by_hand.close()


@pytest.mark.long
@pytest.mark.draws(1)
def test_the_past_stays_what_it_was(local: Engine) -> None:
    facts = local.facts()
    whole = local.run(build_movements(facts, NOW, OURS)).to_pylist()
    for day in ("2024-02-29", "2024-10-27"):
        then = local.run(build_movements(facts, at(day), OURS)).to_pylist()
        assert told(then, at(day).date()) == told(whole, at(day).date())


@pytest.mark.long
def test_postgresql_says_the_same(postgres_url: str) -> None:
    shop = told_abroad(town(3).shop())
    con = ibis.connect(postgres_url)
    shop.load_into(con)
    engines = [
        open_warehouse(postgres_url, currency=CURRENCY, zone="Europe/London", rates=RATES),
        shop.engine(),
    ]
    one, other = (audited(engine).to_json() for engine in engines)
    for engine in engines:
        engine.close()
    for name in shop.tables():
        con.drop_table(name)
    con.disconnect()
    assert one == other


def test_a_move_to_another_currency_at_equal_worth_is_none() -> None:
    business = Business(
        [subscription("a", "c", "2024-01-10", amount=100, currency="EUR")],
        [
            change("a", "2024-03-01", amount=86, currency="GBP"),
            change("a", "2024-05-01", amount=20_000, currency="JPY"),
        ],
    )
    assert moves(replace(business.shop(), rates=RATES)) == [
        ("2024-01-10", "new", Decimal(86)),
        ("2024-05-01", "expansion", Decimal(20)),
    ]


@pytest.mark.long
def test_a_change_that_names_no_currency_is_in_that_of_its_subscription() -> None:
    """Also where it comes from a file of its own, which is another source."""
    begun = [subscription(one, one, "2024-01-10", amount=100, currency="EUR") for one in "ab"]
    begun += [subscription("g", "g", "2024-01-10", amount=100)]
    # Two systems have an "a": a change is of its own one, and of none where neither is its own.
    begun += [{**subscription("a", "other", "2024-01-10", amount=7), "source": "other"}]
    changed = [change(one, "2024-03-01", amount=200) for one in "abg"]
    changed[1]["source"] = "changes"
    shop = replace(Business(begun, changed).shop(), rates=RATES)
    assert sorted(amount for _, word, amount in moves(shop) if word == "expansion") == [
        Decimal(86),
        Decimal(86),
        Decimal(100),
    ]
