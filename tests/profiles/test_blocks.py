"""What a message shows to a person: by what was known then, and by nothing that came later."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from rekindle.facts import CONTRACTS
from rekindle.profiles import build_block, find_blocks
from rekindle.testing.small_shop import Sale, SmallShop
from tests.profiles.conftest import day

TEN = Decimal(10)
HOUR = timedelta(hours=1)
NAMES = [f"p{number}" for number in range(12)]


def catalogue(*names: str, **more: Any) -> dict[str, Sequence[dict[str, Any]]]:
    return {
        "products": [
            {"source": "shop", "product_id": name, "name": name.upper(), "category": "mugs", **more}
            for name in names
        ]
    }


def sold(person: str | None, on: int, *products: str, **more: Any) -> Sale:
    return Sale(person, day(on), lines=tuple((one, None, TEN) for one in products), **more)


def found(
    sales: Sequence[Sale],
    block: str,
    on: int,
    rows: Mapping[str, Sequence[dict[str, Any]]],
    people: Sequence[str] = ("ann",),
) -> list[dict[str, Any]]:
    """Return the rows of a block."""
    engine = SmallShop(sales, rows=rows).engine()
    asked = engine.bring("asked", pa.table({"customer_id": list(people)}))
    built = build_block(find_blocks()[block], engine.facts(), asked, day(on))
    told: list[dict[str, Any]] = engine.run(built).to_pylist()
    engine.close()
    return told


def shown(
    sales: Sequence[Sale], block: str, on: int, people: Sequence[str] = ("ann",), **options: Any
) -> dict[str, list[str]]:
    engine = SmallShop(sales, rows=options.pop("rows", catalogue(*NAMES))).engine()
    asked = engine.bring("asked", pa.table({"customer_id": list(people)}))
    one = find_blocks()[block]
    rows = engine.run(build_block(one, engine.facts(), asked, day(on), **options)).to_pylist()
    engine.close()
    told: dict[str, list[str]] = {person: [] for person in people}
    for row in sorted(rows, key=lambda row: (row["customer_id"], row["place"])):
        told[row["customer_id"]].append(row["product_id"])
    return told


def test_favourites_are_what_one_bought_most_often_and_then_what_sells_now() -> None:
    sales = [sold("ann", on, "p1") for on in (1, 2, 3)]
    sales += [sold("ann", 4, "p2"), sold("ann", 5, "p9"), sold("ann", 6, "p9")]
    others = [sold(f"b{number}", 70, "p1", "p2", "p3") for number in range(3)]
    # What nobody buys any more comes last, however often it was bought.
    assert shown(sales + others, "favourites", 80)["ann"] == ["p1", "p2", "p3", "p9"]


def test_somebody_without_history_is_shown_what_sells_now() -> None:
    sales = [sold("bob", 60, "p1"), sold("cat", 61, "p1", "p2")]
    assert shown(sales, "favourites", 80, ["ann", ""])["ann"] == ["p1", "p2"]


@pytest.mark.long
def test_bestsellers_of_a_quiet_shop_are_those_of_the_year() -> None:
    sales = [sold("bob", 1, "p1"), sold("cat", 2, "p1", "p2")]
    assert shown(sales, "bestsellers", 200)["ann"] == ["p1", "p2"]
    assert shown([], "bestsellers", 200)["ann"] == []


@pytest.mark.long
def test_new_arrivals_are_of_the_own_category_first_and_not_bought_yet() -> None:
    rows = catalogue("p1", "p2", "p3", "p4")
    rows["products"][2]["category"] = "lamps"
    sales = [sold("ann", 1, "p1"), sold("bob", 90, "p2"), sold("ann", 91, "p4")]
    sales += [sold(f"b{number}", 95, "p3") for number in range(5)]
    assert shown(sales, "new_arrivals", 100, rows=rows)["ann"] == ["p2", "p3"]
    assert shown(sales, "new_arrivals", 50, rows=rows)["ann"] == []  # all of it is new


@pytest.mark.long
def test_a_refill_is_due_by_ones_own_rhythm() -> None:
    sales = [sold("ann", on, "p1") for on in (0, 10, 20)]
    sales += [sold("ann", on, "p2") for on in (0, 20, 24)] + [sold("ann", 24, "p3")]
    assert shown(sales, "refill_due", 29)["ann"] == []
    assert shown(sales, "refill_due", 31)["ann"] == ["p1"]
    assert shown(sales, "refill_due", 37)["ann"] == ["p2", "p1"]
    assert shown(sales, "refill_due", 300)["ann"] == []  # nobody buys them any more


@pytest.mark.long
def test_what_goes_with_it_is_what_others_put_into_one_order() -> None:
    sales = [sold("ann", 50, "p1")]
    sales += [sold(f"b{number}", 51 + number, "p1", "p2") for number in range(4)]
    sales += [sold(f"c{number}", 51 + number, "p3") for number in range(9)]
    assert shown(sales, "goes_with", 80)["ann"] == ["p2", "p3"]


@pytest.mark.long
def test_people_alike_are_shown_what_the_nearest_buy_now() -> None:
    sales = [sold("ann", 1, "p1", "p2")]
    sales += [sold("bob", 49, "p1", "p2"), sold("bob", 70, "p5", "p1")]
    sales += [sold(f"c{number}", 70, "p3") for number in range(5)]  # nothing in common
    sales += [sold("dan", 1, "p1", "p2"), sold("eve", 60, "p9")]
    assert shown(sales, "people_alike", 80)["ann"] == ["p1", "p5", "p3", "p9"]
    assert shown(sales, "people_alike", 80, ["new"])["new"][0] == "p3"


def told(table: str, *entries: tuple[int, dict[str, Any]]) -> dict[str, Sequence[dict[str, Any]]]:
    """Return the rows of ``changes`` or ``reviews``, each with its day."""
    dated = "changed_at" if table == "changes" else "reviewed_at"
    return {table: [{"source": "shop", dated: day(on), **more} for on, more in entries]}


def test_what_changed_is_told_since_the_last_purchase_and_the_own_category_first() -> None:
    rows = catalogue("p1") | told(
        "changes",
        (5, {"title": "before"}),
        (20, {"title": "mugs are lighter", "category": "mugs"}),
        (30, {"title": "free returns"}),
        (90, {"title": "later"}),
    )
    sales = [sold("ann", 1, "p1"), sold("ann", 10, "p1")]
    found = shown(sales, "what_changed", 80, ["ann", "new"], rows=rows)
    assert found == {"ann": ["mugs are lighter", "free returns"], "new": []}


@pytest.mark.long
def test_what_changed_is_told_of_orders_without_lines_and_since_a_subscription_ended() -> None:
    rows = told(
        "changes", (5, {"title": "early"}), (40, {"title": "midway"}), (70, {"title": "new"})
    )
    begun = {"source": "s", "subscription_id": "1", "customer_id": "ann", "amount": TEN}
    rows["subscriptions"] = [begun | {"started_at": day(2), "ended_at": day(60)}]
    orders = [Sale("bob", day(30))]
    found = shown(orders, "what_changed", 80, ["ann", "bob"], rows=rows)
    assert found == {"ann": ["new"], "bob": ["new", "midway"]}
    # It has not ended yet: what changed since it began.
    assert shown(orders, "what_changed", 50, rows=rows)["ann"] == ["midway", "early"]


def test_people_say_what_is_good_and_in_words_of_the_own_category_first() -> None:
    rows = catalogue("p1", "p2") | told(
        "reviews",
        (10, {"review_id": "old", "product_id": "p1", "stars": 5, "words": "Lovely"}),
        (50, {"review_id": "other", "category": "lamps", "stars": 4, "words": "Bright"}),
        (51, {"review_id": "bad", "category": "mugs", "stars": 2, "words": "Broke"}),
        (52, {"review_id": "dumb", "category": "mugs", "stars": 5, "words": " "}),
        (53, {"review_id": "new", "category": "mugs", "words": "Fine"}),
    )
    found = shown([sold("ann", 1, "p1")], "people_say", 80, ["ann", "stranger"], rows=rows)
    assert found == {"ann": ["new", "old", "other"], "stranger": ["new", "other", "old"]}


def listed(*rows: tuple[int, str, int | None]) -> dict[str, Sequence[dict[str, Any]]]:
    """Return a price list: day, product and price."""
    return {
        "prices": [
            {
                "source": "shop",
                "product_id": name,
                "since": day(on),
                "price": None if price is None else Decimal(price),
            }
            for on, name, price in rows
        ]
    }


FELL = {
    "p0": (10, ((0, 10), (50, 8))),
    "p1": (10, ((0, 8), (5, 20), (50, 9))),  # the list was above what they paid
}
DID_NOT_FALL = {
    "rose again": (10, ((0, 10), (50, 8), (60, 12))),
    "bought above the list": (10, ((0, 8), (50, 8))),
    "bought below it": (10, ((0, 100), (50, 96))),
    "not sold any more": (10, ((0, 10), (50, None))),
    "negative": (10, ((0, 10), (50, -8))),
    "free": (10, ((0, 10), (50, 0))),
    "by less than is news": (100, ((0, 100), (50, 96))),
    "not known yet": (10, ((0, 10), (90, 8))),
}


@pytest.mark.long
def test_a_price_fell_by_the_list_since_the_last_purchase() -> None:
    cases = FELL | DID_NOT_FALL
    rows = catalogue(*cases, "p2", price=Decimal(99))
    rows |= listed(
        *((on, name, price) for name, (_, steps) in cases.items() for on, price in steps),
        (0, "p2", 10),
        (50, "p2", 1),  # never bought
    )
    lines = tuple((name, None, Decimal(paid)) for name, (paid, _) in cases.items())
    sales = [Sale("ann", day(10), lines=lines)]
    assert shown(sales, "price_drops", 80, rows=rows)["ann"] == ["p0", "p1"]


def test_without_a_list_a_price_fell_where_nobody_pays_as_much() -> None:
    rows = catalogue("fell", "paid in full", "never sold since")
    rows["products"][2]["price"] = Decimal(8)  # what the catalogue says has no day
    for name, price in {"dearer": TEN, "as said": Decimal(8)}.items():
        rows["products"] = [*rows["products"], *catalogue(name, price=price)["products"]]
    names = [row["product_id"] for row in rows["products"]]
    lately = {"fell": (6, 7), "paid in full": (7, 10), "dearer": (7, 8), "as said": (7, 8)}
    sales = [sold("ann", 10, *names)]
    sales += [
        Sale(f"b{paid}", day(70), lines=((name, None, Decimal(paid)),))
        for name, prices in lately.items()
        for paid in prices
    ]
    assert shown(sales, "price_drops", 80, rows=rows)["ann"] == ["fell", "as said"]


def test_a_drop_says_both_prices() -> None:
    rows = catalogue("p1", price=Decimal(99)) | listed((50, "p1", 8))
    (row,) = found([sold("ann", 10, "p1")], "price_drops", 80, rows)
    assert (row["price"], row["was"]) == (8, 10)


def counted(who: str, *rows: tuple[int, str, int, int | None]) -> list[dict[str, Any]]:
    """Return somebody's balances: day, source, points and the day on which they run out."""
    return [
        {
            "source": source,
            "customer_id": who,
            "counted_at": day(on),
            "points": points,
            "run_out_on": None if until is None else day(until).date(),
            "level": "Gold",
        }
        for on, source, points, until in rows
    ]


BALANCES = {
    "newest": (((10, "air", 500, None), (70, "air", 20, None)), ["20"]),
    "two programmes": (((70, "air", 20, None), (71, "rail", 90, None)), ["90", "20"]),
    "ran out": (((70, "air", 20, 101),), []),
    "last day": (((70, "air", 20, 102),), ["20"]),
    "spent": (((60, "air", 20, None), (70, "air", 0, None)), []),
    "owing": (((60, "air", 20, None), (70, "air", -5, None)), []),
    "not known yet": (((70, "air", 20, None), (110, "air", 500, None)), ["20"]),
    "a quarter": (((10, "air", 20, None),), ["20"]),
    "older": (((9, "air", 20, None),), []),
    "never counted": ((), []),
}


def test_points_are_those_counted_last_while_that_says_anything() -> None:
    rows = [row for who, (given, _) in BALANCES.items() for row in counted(who, *given)]
    told: dict[str, list[str]] = {who: [] for who in BALANCES}
    for one in found([], "your_points", 102, {"points": rows}, people=list(BALANCES)):
        told[one["customer_id"]].append(one["name"])
    assert told == {who: expected for who, (_, expected) in BALANCES.items()}


@pytest.mark.long
def test_the_plan_is_the_one_they_have_or_had_last() -> None:
    basic = {"source": "s", "subscription_id": "1", "customer_id": "ann", "plan": "Basic"}
    rows = {"subscriptions": [basic | {"amount": TEN, "started_at": day(10), "ended_at": day(60)}]}
    (here,) = found([], "your_plan", 50, rows)
    assert (here["name"], here["price"], here["until"]) == ("Basic", 10, None)
    assert here["on"] == day(10).date()
    (left,) = found([], "your_plan", 80, rows)
    assert (left["name"], left["price"], left["until"]) == ("Basic", None, day(60).date())
    assert found([], "your_plan", 10, rows) == []  # not begun yet
    rows = {"subscriptions": [basic | {"plan": " ", "amount": TEN, "started_at": day(10)}]}
    assert found([], "your_plan", 50, rows) == []
    assert found([], "your_plan", 50, {}) == []


def test_postage_the_nameless_and_what_is_never_shown_are_left_out() -> None:
    rows = catalogue("p1", "p2", "p3", "p4")
    rows["products"][0]["name"] = " Postage"
    rows["products"][1]["name"] = None
    sales = [sold("bob", 60, "p1", "p2", "p3", "p4")]
    assert shown(sales, "bestsellers", 70, rows=rows, never=("p3",))["ann"] == ["p4"]


@pytest.mark.long
def test_what_was_taken_back_or_cancelled_was_not_bought() -> None:
    sales = [sold("bob", 60, "p1", kind="refund"), sold("bob", 61, "p2", cancelled_at=day(62))]
    assert shown(sales, "bestsellers", 70)["ann"] == []
    assert shown(sales, "bestsellers", 62)["ann"] == ["p2"]  # it was not cancelled yet


@pytest.mark.long
@pytest.mark.draws(4)
@pytest.mark.parametrize("block", sorted(find_blocks()))
def test_no_block_sees_what_came_later(block: str) -> None:
    rng = random.Random(block)
    people = [f"c{number}" for number in range(8)]
    sales = [_drawn(rng, people) for _ in range(250)]
    days = range(0, 200, 5)
    whole = catalogue(*NAMES) | _all_told(days)
    for on in (60, 160):
        known = [one for one in sales if one.at < day(on)]
        rows = catalogue(*NAMES) | _all_told([one for one in days if one < on])
        expected = shown(known, block, on, people, rows=rows)
        assert shown(sales, block, on, people, rows=whole) == expected
        assert all(len(products) == len(set(products)) for products in expected.values())
    assert any(expected.values())


def _all_told(days: Sequence[int]) -> dict[str, Sequence[dict[str, Any]]]:
    changes = [(on, {"title": f"change {on}", "category": "mugs"}) for on in days]
    reviews = [(on, {"review_id": f"r{on}", "stars": 5, "words": "Good"}) for on in days]
    dated = [{"source": "shop", "since": day(on), "counted_at": day(on)} for on in days]
    prices = [
        one | {"product_id": name, "price": Decimal(9 - place % 9)}
        for place, one in enumerate(dated)
        for name in NAMES
    ]
    points = [one | {"customer_id": "c1", "points": place} for place, one in enumerate(dated)]
    plans = [
        {"source": "shop", "subscription_id": f"s{on}", "customer_id": "c1", "plan": f"plan {on}",
         "started_at": day(on), "amount": Decimal(on + 1)}
        for on in days
    ]  # fmt: skip
    baskets = [
        {
            "source": "shop",
            "customer_id": f"c{who}",
            "changed_at": day(on) + HOUR * part,
            "product_id": NAMES[(on + part + who) % 12],
            "quantity": Decimal(part - 1),
            "is_whole": part == 2,
        }
        for on in days
        for part in (0, 2, 3)
        for who in range(8)
    ]
    more = {
        "prices": _only("prices", prices),
        "points": _only("points", points),
        "baskets": baskets,
    }
    return told("changes", *changes) | told("reviews", *reviews) | more | {"subscriptions": plans}


def _only(table: str, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    names = CONTRACTS[table].schema.names
    return [{name: one[name] for name in names if name in one} for one in rows]


def _drawn(rng: random.Random, people: Sequence[str]) -> Sale:
    """Return a sale of one of twelve products, the later ones on sale from a later day on."""
    on = rng.randrange(200)
    names = NAMES[: 4 + on // 20]
    return sold(rng.choice([*people, None]), on, *rng.sample(names, rng.randrange(1, 4)))
