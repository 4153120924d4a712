"""Every question has a date: what comes later never changes an answer.

The expressions are compiled once and the shop beneath them is exchanged, so that a
hundred random shops take seconds.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import cache, cached_property
from typing import Any

import ibis
import ibis.expr.types as ir
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from rekindle.config import LifecycleSettings
from rekindle.facts import Engine, Facts
from rekindle.profiles import (
    FAMILIES,
    build_presence,
    build_profiles,
    build_profiles_from,
    build_spells,
    build_timeline,
    join_spells,
    local_day,
)
from rekindle.testing.small_shop import Sale, SmallShop
from tests.profiles.random_shops import ASKED, ZONE, small_shops

SETTINGS = LifecycleSettings()
MANY = settings(max_examples=40, deadline=None, derandomize=True)
Row = dict[str, Any]


class Stage:
    """One DuckDB on which shops come and go beneath expressions compiled once."""

    @cached_property
    def con(self) -> Any:
        return ibis.duckdb.connect()

    def show(self, shop: SmallShop) -> None:
        for name, rows in shop.tables().items():
            self.con.con.register(name, rows)

    @cache  # noqa: B019 - lives as long as the module
    def facts(self) -> Facts:
        engine = Engine(self.con, currency="GBP", zone=ZONE)
        return replace(engine.facts(), has_cards=True, has_categories=True, has_late_changes=True)

    @cache  # noqa: B019
    def profile_query(self, at: datetime) -> str:
        return self._compiled(build_profiles(self.facts(), at, SETTINGS))

    @cache  # noqa: B019
    def cut_query(self, at: datetime) -> str:
        return self._compiled(build_profiles(self.facts().cut(at), at, SETTINGS))

    @cache  # noqa: B019
    def many_query(self, *, has_categories: bool) -> str:
        facts = replace(self.facts(), has_categories=has_categories)
        return self._compiled(build_at_many(facts))

    def rows(self, query: str) -> list[Row]:
        return list(self.con.raw_sql(query).to_arrow_table().to_pylist())

    def _compiled(self, table: ir.Table) -> str:
        return str(ibis.to_sql(table.order_by("customer_id"), dialect="duckdb"))


def build_at_many(facts: Facts) -> ir.Table:
    """Return the profiles at every instant of ``ASKED``, from one timeline."""
    asked = ibis.union(
        *(
            ibis.range(0, 1).unnest().name("n").as_table().select(
                as_of=ibis.literal(at, type="timestamp('UTC', 6)"),
                as_of_on=ibis.date(local_day(at, facts.zone)),
            )
            for at in ASKED
        )
    )  # fmt: skip
    spells = build_presence(build_timeline(facts), facts)
    rows = spells.inner_join(
        asked, [spells.valid_from < asked.as_of, asked.as_of <= spells.valid_to]
    )
    for name, kept in build_spells(facts).items():
        rows = join_spells(rows, name, kept)
    columns = {"as_of", *FAMILIES.names}
    return build_profiles_from(rows, SETTINGS, columns=columns).select("as_of", *FAMILIES.names)


@pytest.fixture(scope="module")
def stage() -> Stage:
    stage = Stage()
    stage.con.raw_sql("set TimeZone = 'UTC'")
    stage.con.raw_sql("set threads = 1")
    stage.show(SmallShop([], zone=ZONE))
    return stage


def _known_at(sale: Sale, at: datetime) -> Sale:
    if sale.cancelled_at is not None and sale.cancelled_at >= at:
        sale = replace(sale, cancelled_at=None)
    if sale.kind == "refund" or sale.refunded_at is None or sale.refunded_at < at:
        return sale
    known = [step for step in sale.refund_steps if step[0] < at]
    last_at, given = known[-1] if known else (None, Decimal(0))
    return replace(sale, refund=given, refunded_at=last_at, refund_steps=tuple(known[:-1]))


def known_at(shop: SmallShop, at: datetime) -> SmallShop:
    """Return the shop as if nothing at or after ``at`` had ever been recorded."""
    return replace(
        shop,
        sales=[_known_at(sale, at) for sale in shop.sales if sale.at < at],
        cards=[c for c in shop.cards if c.created_at is None or c.created_at < at],
    )


@pytest.mark.long
@MANY
@given(shop=small_shops, at=st.sampled_from(ASKED))
def test_later_facts_change_no_profile(stage: Stage, shop: SmallShop, at: datetime) -> None:
    stage.show(shop)
    whole = stage.rows(stage.profile_query(at))
    stage.show(known_at(shop, at))
    assert stage.rows(stage.profile_query(at)) == whole


@pytest.mark.draws(1)
@pytest.mark.parametrize("seed_", range(7))
def test_profile_at_a_date_is_the_profile_of_the_facts_cut_there(stage: Stage, seed_: int) -> None:
    @seed(seed_)
    @settings(max_examples=6, deadline=None)
    @given(shop=small_shops, at=st.sampled_from(ASKED))
    def holds(shop: SmallShop, at: datetime) -> None:
        stage.show(shop)
        assert stage.rows(stage.cut_query(at)) == stage.rows(stage.profile_query(at))

    holds()


@pytest.mark.long
@pytest.mark.parametrize("has_categories", [True, False])
@MANY
@given(shop=small_shops, dates=st.sets(st.sampled_from(ASKED), min_size=2, max_size=2))
def test_one_timeline_answers_every_date_as_the_profile_does(
    stage: Stage, has_categories: bool, shop: SmallShop, dates: set[datetime]
) -> None:
    sales = shop.sales if has_categories else [replace(sale, lines=()) for sale in shop.sales]
    stage.show(replace(shop, sales=sales))
    found: dict[datetime, list[Row]] = {at: [] for at in ASKED}
    for row in stage.rows(stage.many_query(has_categories=has_categories)):
        found[row.pop("as_of")].append(row)
    for at in dates:
        assert found[at] == stage.rows(stage.profile_query(at))
