"""Random small shops, full of ties, refunds and edges of the day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from rekindle.testing.small_shop import Card, Sale, SmallShop

START = datetime(2024, 1, 1, tzinfo=UTC)  # of a leap year
PEOPLE = ("anna", "ben", "cleo", "dan")
ZONE = "America/New_York"
CATEGORIES = (None, "bags", "hats", "shoes")
PRODUCTS = {"p1": "bags", "p2": "hats", "p3": None}

# The dates that are asked about. Orders fall on them, beside them, and on one another.
ASKED = tuple(
    START + timedelta(days=days, hours=hours)
    for days, hours in ((1, 5), (2, 0), (31, 0), (60, 4), (90, 23), (201, 4), (425, 6), (500, 0))
)
OFFSETS = (
    timedelta(0),
    timedelta(0),
    timedelta(0),
    timedelta(microseconds=-1),
    timedelta(microseconds=1),
    timedelta(hours=-5),
    timedelta(hours=4),
    timedelta(days=-1),
    timedelta(days=-365),
    timedelta(days=-29, hours=-9),
)
instants = st.builds(lambda at, by: at + by, st.sampled_from(ASKED), st.sampled_from(OFFSETS))
amounts = st.integers(0, 500_000).map(lambda n: Decimal(n).scaleb(-4))
lines = st.lists(
    st.tuples(st.sampled_from(("p1", "p2", "p3", "p4")), st.sampled_from(CATEGORIES), amounts),
    max_size=3,
).map(tuple)
sales = st.builds(
    Sale,
    person=st.sampled_from((*PEOPLE, None)),
    at=instants,
    gross=amounts,
    discount=st.none() | amounts,
    refund=st.none() | amounts,
    kind=st.sampled_from(("purchase", "purchase", "purchase", "refund", "cancelled", "free")),
    source=st.sampled_from(("shop", "till")),
    lines=lines,
    refunded_at=st.none() | instants,
)
# Few amounts close together, so that refunds meet orders, and some orders are cancelled.
undoings = st.builds(
    lambda kind, hours, more, **rest: Sale(
        at=START + timedelta(days=31, hours=hours),
        kind=kind,
        gross=Decimal(0) if kind == "refund" else more,
        refund=more if kind == "refund" else Decimal(0),
        **rest,
    ),
    st.sampled_from(("purchase", "purchase", "refund")),
    st.integers(-90, 3) | st.just(0),
    st.sampled_from((Decimal(10), Decimal(20))),
    person=st.sampled_from(PEOPLE[:2]),
    source=st.sampled_from(("shop", "till")),
    lines=lines,
)
withdrawn = st.builds(
    lambda sale, days: replace(
        sale,
        kind="purchase",
        gross=Decimal(10),
        refund=Decimal(0),
        cancelled_at=sale.at + timedelta(days=days),
    ),
    undoings,
    st.sampled_from((0.01, 1, 29, 60)),
)
given_twice = st.builds(
    lambda sale, hours, parts: replace(
        sale,
        kind="purchase",
        gross=Decimal(10),
        refund=Decimal(sum(parts)),
        refunded_at=sale.at + timedelta(hours=3 * hours),
        refund_steps=(
            (sale.at + timedelta(hours=hours), Decimal(parts[0])),
            (sale.at + timedelta(hours=2 * hours), Decimal(sum(parts[:2]))),
        ),
    ),
    undoings,
    st.sampled_from((0.5, 24, 30)),
    st.sampled_from(((2, 3, 1), (5, 5, 0), (2, 3, 5), (10, 0, 0))),
)
cards = st.builds(
    Card,
    person=st.sampled_from((*PEOPLE, "eve")),
    country=st.sampled_from((None, "GB", "France")),
    email=st.sampled_from((None, "someone@example.com")),
    created_at=st.none() | instants | st.sampled_from(ASKED),
    renews_on=st.none() | st.dates(START.date(), START.date() + timedelta(days=900)),
)


small_shops = st.builds(
    SmallShop,
    sales=st.builds(
        lambda *parts: [sale for part in parts for sale in part],
        st.lists(sales, max_size=18),
        st.lists(undoings, max_size=7),
        st.lists(withdrawn, max_size=2),
        st.lists(given_twice, max_size=2),
    ),
    cards=st.lists(cards, max_size=4, unique_by=lambda card: card.person),
    products=st.just(PRODUCTS),
    zone=st.just(ZONE),
)
