"""Amounts in several currencies are read in one, at the rates that are stated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pytest

from rekindle.config import LifecycleSettings
from rekindle.errors import LakeError
from rekindle.facts import Engine, FactsPlace, Lake, open_warehouse
from rekindle.profiles import build_block, build_profiles, find_blocks
from rekindle.testing.small_shop import CURRENCY, Sale, SmallShop
from tests.profiles.conftest import DAY_0
from tests.profiles.test_engines import DATES, ZONE, profiles_of, town
from tests.subscriptions.abroad import RATES, at_home, told_abroad, told_at_home

SHOP = told_abroad(town())


@pytest.fixture(scope="module")
def local() -> Iterator[Engine]:
    engine = SHOP.engine()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def remote(postgres_url: str) -> Iterator[Engine]:
    con = ibis.connect(postgres_url)
    SHOP.load_into(con)
    engine = open_warehouse(postgres_url, currency=CURRENCY, zone=ZONE, rates=RATES)
    yield engine
    engine.close()
    for name in SHOP.tables():
        con.drop_table(name)
    con.disconnect()


def near(row: dict[str, Any]) -> dict[str, Any]:
    floats = [name for name, value in row.items() if isinstance(value, float)]
    return row | {name: pytest.approx(row[name], rel=1e-12) for name in floats}


@pytest.mark.long
@pytest.mark.draws(1)
@pytest.mark.parametrize("at", DATES)
def test_people_are_who_they_are_by_amounts_worked_out_by_hand(local: Engine, at: datetime) -> None:
    by_hand = told_at_home(SHOP).engine()
    assert profiles_of(local, at) == profiles_of(by_hand, at)
    by_hand.close()


@pytest.mark.long
@pytest.mark.draws(1)
@pytest.mark.parametrize("at", DATES)
def test_postgresql_gives_the_same_numbers(local: Engine, remote: Engine, at: datetime) -> None:
    assert profiles_of(remote, at) == [near(row) for row in profiles_of(local, at)]


@pytest.mark.long
@pytest.mark.parametrize("table", ["orders", "order_lines", "subscriptions", "payments"])
def test_postgresql_rounds_every_amount_alike(local: Engine, remote: Engine, table: str) -> None:
    def rows(engine: Engine) -> list[str]:
        facts = engine.facts()
        found = facts.more[table] if table in facts.more else getattr(facts, table)
        return sorted(map(str, engine.run(found.drop(*instants(found))).to_pylist()))

    assert rows(remote) == rows(local)


def instants(table: Any) -> list[str]:
    return [name for name, kind in table.schema().items() if kind.is_timestamp()]


@pytest.mark.long
def test_what_was_given_back_whole_is_so_at_any_rate() -> None:
    """The parts of an order round apart, and what was paid is still what was given back."""
    back_at = DAY_0 + timedelta(days=1)
    for cents in range(1, 30):
        gross, off = Decimal(1000 + cents).scaleb(-2), Decimal(3 * cents).scaleb(-2)
        own = Sale("ann", DAY_0, gross, off, gross - off, refunded_at=back_at, currency="USD")
        apart = replace(own, person="bob", refund=Decimal(0), refunded_at=None)
        refund = Sale("bob", back_at, Decimal(0), None, gross - off, "refund", currency="USD")
        stepped = replace(
            own,
            person="cem",
            refund=gross,
            refunded_at=DAY_0 + timedelta(days=9),
            refund_steps=((back_at, gross - off),),
        )
        engine = SmallShop([own, apart, refund, stepped], rates=RATES).engine()
        undone = engine.run(engine.facts().standing_orders().filter(lambda o: o.kind == "undone"))
        assert sorted(undone["customer_id"].to_pylist()) == ["ann", "bob", "cem"], cents
        engine.close()


@pytest.mark.long
def test_a_refund_of_its_own_may_be_in_another_currency_of_equal_worth() -> None:
    bought = Sale("ann", DAY_0, Decimal(100), currency="EUR")
    back = Sale("ann", DAY_0 + timedelta(days=1), Decimal(0), None, Decimal(86), "refund")
    engine = SmallShop([bought, back], rates=RATES).engine()
    undone = engine.facts().undone
    assert undone is not None
    assert engine.run(undone)["order_id"].to_pylist() == ["0000"]
    engine.close()


@pytest.mark.parametrize("amount", ["49999999.9999", "99999999999.9999", "-99999999999.9999"])
def test_the_largest_amounts_are_restated_to_the_last_digit(amount: str) -> None:
    sale = Sale("ann", DAY_0, Decimal(amount), None, None, currency="KWD")
    engine = SmallShop([sale], rates=RATES).engine()
    (worth,) = engine.run(engine.facts().orders)["gross"].to_pylist()
    assert worth == at_home(Decimal(amount), "KWD")
    engine.close()


@pytest.mark.parametrize("currency", ["JPY", "KWD"])
def test_amounts_are_in_major_units_whatever_stands_behind_the_mark(currency: str) -> None:
    engine = SmallShop(
        [Sale("ann", DAY_0, Decimal("1.250"), currency=currency)], rates=RATES
    ).engine()
    assert engine.run(engine.facts().orders)["gross"][0].as_py() == at_home(
        Decimal("1.250"), currency
    )
    engine.close()


@pytest.mark.long
def test_a_rate_that_is_changed_restates_the_whole_history() -> None:
    sales = [Sale("ann", DAY_0 + timedelta(days=n), currency="EUR") for n in range(3)]
    worth = []
    for rate in ("0.5", "2"):
        engine = SmallShop(sales, rates={"EUR": Decimal(rate)}).engine()
        worth.append(engine.run(engine.facts().orders)["gross"].to_pylist())
        engine.close()
    assert worth == [[Decimal(5)] * 3, [Decimal(20)] * 3]


@pytest.mark.parametrize("told", ["", " ", "gbp"])
def test_a_warehouse_that_names_no_other_currency_holds_the_workspaces(told: str) -> None:
    for rates in ({}, RATES):
        engine = SmallShop([Sale("ann", DAY_0, currency=told)], rates=rates).engine()
        facts = engine.facts()
        assert engine.run(facts.orders)["gross"].to_pylist() == [Decimal(10)]
        assert facts.rates == ()
        engine.close()


def test_what_is_remembered_of_the_facts_is_remembered_by_their_rates(tmp_path: Path) -> None:
    def version(rates: dict[str, Decimal]) -> str:
        return FactsPlace(Lake(tmp_path), CURRENCY, ZONE, rates=rates).version(DAY_0)

    half, same = ({"EUR": Decimal(rate)} for rate in ("0.5", "0.50"))
    assert version(half) == version(same)
    assert len({version(one) for one in ({}, half, {"EUR": Decimal(5)}, RATES)}) == 4


def test_a_currency_whose_rate_was_taken_away_is_refused_by_name() -> None:
    shop = SmallShop(
        [Sale("ann", DAY_0, currency="EUR"), Sale("ann", DAY_0, currency="JPY")],
        rates={"EUR": Decimal("0.86")},
        rows={"payments": [{"source": "s", "payment_id": "1", "customer_id": "ann",
                            "attempted_at": DAY_0, "outcome": "paid", "currency": "usd"}]},
    )  # fmt: skip
    engine = shop.engine()
    with pytest.raises(LakeError, match=r"orders in JPY, payments in USD.*what one JPY is worth"):
        engine.facts()
    engine.close()


@pytest.mark.long
def test_rates_that_nothing_is_told_in_leave_the_question_as_it_was() -> None:
    """So they cost nothing, and so does a business of one currency."""
    texts = []
    for rates in ({}, RATES):
        engine = replace(town(), rates=rates).engine()
        facts = engine.facts()
        assert facts.order_lines.op().name == "order_lines"
        profiles = build_profiles(facts, DATES[-1], LifecycleSettings())
        texts.append(re.sub(r"query_\d+", "query", engine.write_query(profiles)))
        engine.close()
    assert len(set(texts)) == 1


@pytest.mark.long
def test_what_people_pay_elsewhere_is_shown_in_no_other_currency() -> None:
    begun = {"source": "s", "plan": "Basic", "amount": Decimal(10), "started_at": DAY_0}
    changed = {"source": "s", "changed_at": DAY_0, "amount": Decimal(9), "currency": "JPY"}
    waits = {"source": "s", "changed_at": DAY_0, "product_id": "mug", "name": "Mug"}
    people = {"ann": "GBP", "bob": "eur", "cem": None, "dee": None}
    rows = {
        "subscriptions": [
            {**begun, "subscription_id": who, "customer_id": who, "currency": told}
            for who, told in people.items()
        ],
        "subscription_changes": [{**changed, "subscription_id": "dee"}],
        "baskets": [
            {**waits, "customer_id": who, "unit_price": Decimal(4), "currency": told}
            for who, told in people.items()
        ],
    }
    engine = SmallShop((), rows=rows, rates=RATES).engine()
    asked = engine.bring("asked", pa.table({"customer_id": list(people)}))
    priced = {}
    for name in ("your_plan", "your_basket"):
        built = build_block(find_blocks()[name], engine.facts(), asked, DAY_0 + timedelta(days=1))
        found = engine.run(built).to_pylist()
        assert len(found) == len(people)
        priced[name] = {row["customer_id"] for row in found if row["price"] is not None}
    assert priced == {"your_plan": {"ann", "cem"}, "your_basket": {"ann", "cem", "dee"}}
    engine.close()
