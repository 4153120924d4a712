"""A basket is shown while all that is known says that it waits, and with what it costs now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import ibis
import pyarrow as pa
import pytest

from rekindle.facts import Engine, open_warehouse
from rekindle.profiles import build_block, find_blocks
from rekindle.testing.small_shop import CURRENCY, Sale, SmallShop
from tests.profiles.conftest import day

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NOW = day(80)
CHANGED = day(70) + timedelta(minutes=7)
Row = dict[str, Any]


def put(product: str, at: datetime = CHANGED, quantity: int = 1, **more: Any) -> Row:
    """Return a row of a whole basket, of Ann's."""
    row = {"source": "web", "customer_id": "ann", "changed_at": at, "product_id": product}
    return {**row, "quantity": Decimal(quantity), "name": product.upper(), **more}


def part(product: str, at: datetime, quantity: int) -> Row:
    """Return a row of what was put in, or taken out."""
    return put(product, at, quantity, is_whole=False)


def bought(at: datetime, *products: str, **more: Any) -> Sale:
    return Sale("ann", at, lines=tuple((one, None, Decimal(10)) for one in products), **more)


LATER = CHANGED + HOUR
WAITS: Mapping[str, tuple[Sequence[Row], list[str]]] = {
    "put in": ((put("a"), put("b", quantity=2)), ["1 a", "2 b"]),
    "the newest": ((put("a"), put("b", LATER)), ["1 b"]),
    "an older file last": ((put("b", LATER), put("a")), ["1 b"]),
    "emptied": ((put("a"), put("-", LATER, 0)), []),
    "none left": ((put("a"), put("a", LATER, 0)), []),
    "filled again": ((put("-", CHANGED, 0), put("a", LATER)), ["1 a"]),
    "both at once": ((put("-", quantity=0), put("a")), []),
    "told twice": ((put("a", quantity=2), put("a", quantity=2, source="app")), ["2 a"]),
    "added": ((put("a"), part("b", LATER, 1)), ["1 b", "1 a"]),
    "more of it": ((put("a"), part("a", LATER, 2)), ["3 a"]),
    "fewer": ((put("a", quantity=3), part("a", LATER, -1)), ["2 a"]),
    "taken out": ((put("a"), part("a", LATER, -1)), []),
    "all out": ((put("a", quantity=9), part("a", LATER, 0)), []),
    "added before": ((part("b", CHANGED - HOUR, 1), put("a")), ["1 a"]),
    "never whole": ((part("a", CHANGED, 1),), ["1 a"]),
    "not said": ((put("a", is_whole=None) | {"quantity": None},), ["1 a"]),
    "a month": ((put("a", day(50)),), ["1 a"]),
    "older": ((put("a", day(50) - MINUTE),), []),
    "not known yet": ((put("a"), put("b", day(81))), ["1 a"]),
    "postage": ((put("a"), put("ship") | {"name": "Postage"}), ["1 a"]),
    "nameless": ((put("a") | {"name": None},), []),
}


def all_rows() -> list[Row]:
    """Return the rows of every case, each of a person of its own."""
    return [row | {"customer_id": who} for who, (rows, _) in WAITS.items() for row in rows]


def shown(
    engine: Engine, people: Sequence[str], on: datetime = NOW, **options: Any
) -> dict[str, list[Row]]:
    asked = engine.bring("asked", pa.table({"customer_id": list(people)}))
    block = build_block(find_blocks()["your_basket"], engine.facts(), asked, on, **options)
    told: dict[str, list[Row]] = {person: [] for person in people}
    for row in engine.run(block).to_pylist():
        told[row["customer_id"]].append(row)
    return told


def held(
    rows: Sequence[Row],
    sales: Sequence[Sale] = (),
    tables: Mapping[str, Any] | None = None,
    **options: Any,
) -> dict[str, list[str]]:
    """Return what waits for each person who has rows: how many of which product."""
    shop = SmallShop(sales, rows={**(tables or {}), "baskets": rows})
    engine = shop.engine()
    told = shown(engine, sorted({row["customer_id"] for row in rows}), **options)
    engine.close()
    return {who: [_said(row) for row in found] for who, found in told.items()}


def _said(row: Row) -> str:
    return f"{row['quantity']:.0f} {row['product_id']}"


@pytest.mark.long
def test_the_newest_word_on_a_basket_counts() -> None:
    assert held(all_rows()) == {who: expected for who, (_, expected) in WAITS.items()}


MIDNIGHT = CHANGED.replace(hour=0, minute=0)
ORDERS: Mapping[str, tuple[Sale, bool]] = {
    "all of it": (bought(LATER, "a", "b"), False),
    "some of it": (bought(LATER, "b", "z"), False),
    "something else": (bought(LATER, "z"), True),
    "nobody says what": (bought(LATER), False),
    "before": (bought(CHANGED - HOUR, "a", "b"), True),
    "at once": (bought(CHANGED, "a"), False),
    "a day alone": (bought(MIDNIGHT, "a"), False),
    "the day before": (bought(MIDNIGHT - 24 * HOUR, "a"), True),
    "cancelled": (bought(LATER, "a", cancelled_at=LATER + HOUR), False),
    "given back": (bought(LATER, "a", kind="refund"), True),
    "never placed": (bought(LATER, "a", kind="pending"), True),
    "later": (bought(day(81), "a"), True),
}


def all_ordered() -> tuple[list[Row], list[Sale]]:
    """Return a basket of two for the person of each case, and what they ordered."""
    rows = [put(one) | {"customer_id": who} for who in ORDERS for one in ("a", "b")]
    return rows, [replace(sale, person=who) for who, (sale, _) in ORDERS.items()]


@pytest.mark.long
def test_a_basket_that_was_bought_waits_no_more() -> None:
    found = held(*all_ordered())
    assert {who: bool(told) for who, told in found.items()} == {
        who: waits for who, (_, waits) in ORDERS.items()
    }


@pytest.mark.long
def test_what_is_put_in_after_an_order_waits_again() -> None:
    rows = [put("a"), put("a", CHANGED + 2 * HOUR)]
    assert held(rows, [bought(LATER, "a")]) == {"ann": ["1 a"]}


@pytest.mark.long
def test_an_order_under_another_id_of_the_same_person_counts() -> None:
    shop = SmallShop(
        [replace(bought(LATER, "a"), person="a2")],
        persons={"a2": "ann", "a3": "ann"},
        rows={"baskets": [put("a") | {"customer_id": one} for one in ("a3", "bob")]},
    )
    engine = shop.engine()
    assert {who: len(found) for who, found in shown(engine, ["ann", "bob"]).items()} == {
        "ann": 0,
        "bob": 1,
    }
    engine.close()


@pytest.mark.long
def test_how_long_a_basket_waits_is_a_setting() -> None:
    rows = [put("a", day(77)), put("a", day(78)) | {"customer_id": "bob"}]
    assert held(rows, basket_lasts=timedelta(days=2)) == {"ann": [], "bob": ["1 a"]}


@pytest.mark.long
def test_what_is_never_shown_is_not_shown_here_either() -> None:
    assert held([put("a"), put("b")], never=("a",)) == {"ann": ["1 b"]}


@pytest.mark.long
def test_twelve_are_shown_at_most_and_what_is_left_out_takes_no_place() -> None:
    rows = [put(f"p{n:02}") for n in range(15)] + [put("b") | {"name": "Tax"}]
    assert held(rows)["ann"] == [f"1 p{n:02}" for n in range(12)]


def price(product: str, *steps: tuple[int, int | None]) -> list[Row]:
    return [
        {
            "source": "s",
            "product_id": product,
            "since": day(on),
            "price": None if asked is None else Decimal(asked),
        }
        for on, asked in steps
    ]


def test_a_price_that_changed_by_the_list_is_said() -> None:
    listed = price("fell", (0, 10), (75, 8)) + price("rose", (0, 10), (75, 12))
    listed += price("stayed", (0, 10), (75, 10)) + price("new", (75, 9))
    listed += price("ended", (0, 10), (75, None)) + price("later", (0, 10), (81, 1))
    names = ("fell", "rose", "stayed", "new", "ended", "later", "told", "said")
    shop = SmallShop(
        [],
        rows={
            "prices": listed,
            "products": [
                {"source": "s", "product_id": "told", "name": "Told", "price": Decimal(7)},
                {"source": "s", "product_id": "fell", "name": "Fell", "price": Decimal(99)},
            ],
            "baskets": [put(name, unit_price=Decimal(11)) for name in names],
        },
    )
    engine = shop.engine()
    found = {row["product_id"]: row for row in shown(engine, ["ann"])["ann"]}
    engine.close()
    assert {name: (row["price"], row["was"]) for name, row in found.items()} == {
        "fell": (8, 10),
        "rose": (12, 10),
        "stayed": (10, None),
        "new": (9, None),
        "later": (10, None),
        "told": (7, None),  # the catalogue has no day, and may have no taxes
        "said": (11, None),
    }


def test_the_catalogue_names_products_and_a_name_is_shown_to_its_own_person_alone() -> None:
    rows = [
        put("known", url="https://evil.example/", image="https://evil.example/i"),
        put("other") | {"name": "Ann's word"},
        put("other") | {"customer_id": "bob", "name": "Bob's word"},
    ]
    catalogue = [
        {"source": "s", "product_id": "known", "name": "Mug", "url": "https://shop.example/mug",
         "image": "https://shop.example/i"}
    ]  # fmt: skip
    engine = SmallShop([], rows={"baskets": rows, "products": catalogue}).engine()
    found = shown(engine, ["ann", "bob"])
    engine.close()
    told = {who: [(row["name"], row["url"]) for row in given] for who, given in found.items()}
    assert told == {
        "ann": [("Mug", "https://shop.example/mug"), ("Ann's word", None)],
        "bob": [("Bob's word", None)],
    }


@pytest.mark.long
def test_postgres_shows_the_baskets_of_duckdb(postgres_url: str) -> None:
    ordered, sales = all_ordered()
    rows = [*all_rows(), *ordered]
    listed = price("a", (0, 10), (75, 8))
    shop = SmallShop(sales, rows={"baskets": rows, "prices": listed})
    people = sorted({row["customer_id"] for row in rows})
    ours = shop.engine()
    con = ibis.connect(postgres_url)
    shop.load_into(con)
    theirs = open_warehouse(postgres_url, currency=CURRENCY, zone="UTC")
    try:
        expected = shown(ours, people)
        assert shown(theirs, people) == expected
        assert any(row["was"] for found in expected.values() for row in found)
    finally:
        theirs.close()
        for name in shop.tables():
            con.drop_table(name)
        con.disconnect()
        ours.close()


@pytest.mark.long
@pytest.mark.parametrize("people", [[], ["nobody"]])
def test_who_has_no_basket_is_shown_none(people: list[str]) -> None:
    engine = SmallShop([], rows={"baskets": [put("a")]}).engine()
    assert not any(shown(engine, people or [""]).values())
    engine.close()
