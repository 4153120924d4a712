"""What every profile family keeps, wherever it comes from; shipped for their authors.

A family is asked about a random small shop at several dates: from all facts, from facts
cut at the date, and from one timeline, as a replay does. All three have to agree.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from rekindle.config import LifecycleSettings
from rekindle.facts import CONTRACTS, Column, Contract, Engine, Facts
from rekindle.profiles import (
    FAMILIES,
    Derivation,
    Family,
    build_presence,
    build_profiles,
    build_profiles_from,
    build_spells,
    build_tallies,
    build_timeline,
    join_spells,
    local_day,
)
from rekindle.testing.small_shop import CURRENCY, Card, Sale, SmallShop

ZONE = "America/New_York"
START = datetime(2024, 1, 1, tzinfo=UTC)
DATES = tuple(START + timedelta(days=days, hours=hours) for days, hours in ((9, 5), (60, 4)))
PEOPLE = tuple(f"p{number:02}" for number in range(60))
CATEGORIES = ("bags", "hats", None)
SETTINGS = LifecycleSettings()
DTYPES = {
    "text": dt.String,
    "count": dt.Integer,
    "number": dt.Floating,
    "money": dt.Decimal,
    "date": dt.Date,
    "instant": dt.Timestamp,
    "flag": dt.Boolean,
}
Row = Mapping[str, Any]
Texts = Mapping[str, Sequence[str]]
NO_TEXTS: Texts = {}
RATES = {"EUR": Decimal("0.86"), "JPY": Decimal("0.0053")}
WORDS: Texts = {"currency": (CURRENCY, *RATES)}


def check_families(*names: str, texts: Texts = NO_TEXTS, seed: int = 1) -> None:
    """Check the families of these names against all that families promise.

    ``texts`` gives, by column, words that rows of facts hold where a family looks for some.

    Raises:
        AssertionError: one breaks a promise; the message says which, and for whom.
    """
    columns = [column.name for name in names for column in FAMILIES[name].columns]
    nobody = SmallShop([], cards=[Card(person) for person in PEOPLE], zone=ZONE)
    with closing(nobody.engine()) as engine:
        facts = engine.facts()
        _check_types(build_profiles(facts, DATES[0], SETTINGS).schema(), names)
        _check_blanks(_profiles(engine, facts, DATES[0], columns), names)
    shop = _random_shop(random.Random(seed), texts)
    with closing(shop.engine()) as engine:
        facts = engine.facts()
        whole = {at: _profiles(engine, facts, at, columns) for at in DATES}
        many = _at_many(engine, facts, columns)
        for name in names:
            _check_of_one_row(engine, facts, FAMILIES[name])
    _check_something_seen(whole[DATES[-1]], names)
    for at in DATES:
        _compare(whole[at], many[at], f"at {at}, a timeline of many dates gives something else")
        cut = _cut(shop, at)
        with closing(cut.engine()) as engine:
            known = _profiles(engine, engine.facts(), at, columns)
        _compare(whole[at], known, f"at {at}, something that was not known yet counts")


def _check_something_seen(rows: Mapping[str, Row], names: Sequence[str]) -> None:
    """Check that the shop gave each column something to say; else nothing was checked."""
    for column in (column for name in names for column in FAMILIES[name].columns):
        assert any(row[column.name] != column.blank for row in rows.values()), (
            f"{column.name} is blank for everybody in a random shop; give check_families the "
            "words its rows are told by, like texts={'event': ('visit',)}"
        )


def _check_types(schema: ibis.Schema, names: Sequence[str]) -> None:
    for column in (column for name in names for column in FAMILIES[name].columns):
        found = schema[column.name]
        assert isinstance(found, DTYPES[column.type]), (
            f"{column.name} is declared as {column.type} and comes as {found}"
        )


def _check_blanks(rows: Mapping[str, Row], names: Sequence[str]) -> None:
    """Check what the columns are for somebody of whom only an empty card is known."""
    for family in (FAMILIES[name] for name in names):
        if isinstance(family.how, Derivation):
            continue  # may well say something about somebody without data
        for column in family.columns:
            for person, row in rows.items():
                assert row[column.name] == column.blank, (
                    f"{column.name} of {person}, about whom nothing is known, is "
                    f"{row[column.name]!r}; its blank is {column.blank!r}"
                )


def _check_of_one_row(engine: Engine, facts: Facts, family: Family) -> None:
    """Check that a family that looks at one row at a time misses nobody who is left out."""
    if not isinstance(family.how, Derivation) or not family.how.is_of_one_row:
        return
    needs = ("customer_id", *family.needs, *family.may_use)
    tallies = build_tallies(facts, DATES[-1], columns=FAMILIES.behind(needs))
    rows = build_profiles_from(tallies, SETTINGS, columns=needs)
    wanted = ("customer_id", *(column.name for column in family.columns))
    whole, part = (
        {row["customer_id"]: row for row in engine.run(built.select(*wanted)).to_pylist()}
        for built in (
            family.how.build(table, SETTINGS)
            for table in (rows, rows.filter(rows.customer_id < PEOPLE[len(PEOPLE) // 2]))
        )
    )
    few = {person: whole[person] for person in part}
    _compare(few, part, f"{family.name} says is_of_one_row, and without other people")


def _compare(expected: Mapping[str, Row], found: Mapping[str, Row], promise: str) -> None:
    assert expected.keys() == found.keys(), f"{promise}: other people are known"
    for person, row in expected.items():
        for column, value in row.items():
            other = found[person][column]
            assert value == other, f"{promise}: {column} of {person} is {value!r}, then {other!r}"


def _profiles(
    engine: Engine, facts: Facts, at: datetime, columns: Sequence[str]
) -> Mapping[str, Row]:
    table = build_profiles(facts, at, SETTINGS, columns=("customer_id", *columns))
    return {row["customer_id"]: row for row in engine.run(table).to_pylist()}


def _at_many(
    engine: Engine, facts: Facts, columns: Sequence[str]
) -> Mapping[datetime, Mapping[str, Row]]:
    found: dict[datetime, dict[str, Row]] = {at: {} for at in DATES}
    for row in engine.run(_build_at_many(facts, columns)).to_pylist():
        found[row.pop("as_of")][row["customer_id"]] = row
    return found


def _build_at_many(facts: Facts, columns: Sequence[str]) -> ir.Table:
    asked = ibis.memtable(
        [{"as_of": at, "as_of_on": local_day(at, facts.zone)} for at in DATES],
        schema=ibis.schema({"as_of": "timestamp('UTC', 6)", "as_of_on": "date"}),
    )
    spells = build_presence(build_timeline(facts), facts)
    rows = spells.inner_join(
        asked, [spells.valid_from < asked.as_of, asked.as_of <= spells.valid_to]
    )
    for family, kept in build_spells(facts).items():
        rows = join_spells(rows, family, kept)
    wanted = ("customer_id", *columns)
    return build_profiles_from(rows, SETTINGS, columns=wanted).select("as_of", *wanted)


def _cut(shop: SmallShop, at: datetime) -> SmallShop:
    """Return the shop as if nothing at or after ``at`` had ever been recorded."""
    kept = {
        table: [row for row in rows if _known_at(CONTRACTS[table], row) < at]
        for table, rows in shop.rows.items()
    }
    sales = [sale for sale in shop.sales if sale.at < at]
    cards = [c for c in shop.cards if c.created_at is None or c.created_at < at]
    return replace(shop, sales=sales, cards=cards, rows=kept)


def _known_at(contract: Contract, row: Row) -> datetime:
    known = row.get(contract.known_at or "")
    return known if isinstance(known, datetime) else START - timedelta(days=1)


def _random_shop(roll: random.Random, texts: Texts) -> SmallShop:
    cards = [
        Card(
            person,
            country=roll.choice(("GB", "FR", None)),
            email=roll.choice(("someone@example.com", None)),
            created_at=roll.choice((None, _instant(roll))),
            renews_on=roll.choice((None, _instant(roll).date())),
        )
        for person in PEOPLE[::2]
    ]
    sales = [
        Sale(
            roll.choice(PEOPLE[9:]),
            _instant(roll),
            gross=Decimal(roll.randrange(1, 500)),
            discount=roll.choice((None, Decimal("0.5"))),
            refund=roll.choice((None, Decimal("0.3"))),
            kind=roll.choice(("purchase", "purchase", "refund")),
            lines=(("p1", roll.choice(CATEGORIES), Decimal(roll.randrange(1, 90))),),
        )
        for _ in range(4 * len(PEOPLE))
    ]
    rows = {contract.table: list(_random_rows(contract, roll, texts)) for contract in _others()}
    return SmallShop(sales, cards=cards, rows=rows, zone=ZONE, rates=RATES)


def _others() -> Iterator[Contract]:
    shown = ("customers", "orders", "order_lines", "products")
    return (contract for contract in CONTRACTS.facts if contract.table not in shown)


def _random_rows(contract: Contract, roll: random.Random, texts: Texts) -> Iterator[Row]:
    for number in range(4 * len(PEOPLE)):
        given = (c for c in contract.columns if c.required or roll.random() < 0.8)
        row = {column.name: _value(column, roll, texts) for column in given}
        row["customer_id"] = roll.choice(PEOPLE)
        keys = (c for c in contract.columns if c.name in contract.key and c.name != "customer_id")
        row |= {c.name: number if c.type == "int64" else f"{number}" for c in keys}
        if contract.known_at:
            row[contract.known_at] = _instant(roll)
        yield {name: row[name] for name in row if name in contract.schema.names}


def _value(column: Column, roll: random.Random, texts: Texts) -> Any:
    kind = dt.dtype(column.type)
    if kind.is_timestamp():
        return _instant(roll)
    if kind.is_date():
        return _instant(roll).date()
    if kind.is_boolean():
        return roll.random() < 0.5
    if kind.is_decimal():
        return Decimal(roll.randrange(1, 100))
    if kind.is_integer():
        return roll.randrange(5)
    words = WORDS.get(column.name, ("a", "b", "c"))
    return roll.choice(tuple(texts.get(column.name, words)))


def _instant(roll: random.Random) -> datetime:
    """Return an instant near a date asked about, often on it to the microsecond."""
    beside = (0, 0, -1, 1, roll.randrange(-9, 9) * 86_400_000_000, -366 * 86_400_000_000)
    return roll.choice(DATES) + timedelta(microseconds=roll.choice(beside))
