"""Random small shops, full of ties, refunds and edges of the day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from rekindle.testing.small_shop import Card, Sale, SmallShop

START = datetime(2024, 1, 1, tzinfo=UTC)
PEOPLE = ("anna", "ben", "cleo", "dan")
ZONE = "America/New_York"
CATEGORIES = (None, "bags", "hats", "shoes")
PRODUCTS = {"p1": "bags", "p2": "hats", "p3": None}

# Few instants, so that orders collide; some lie just around midnight.
instants = st.builds(
    lambda day, hour, extra: START + timedelta(days=day, hours=hour, microseconds=extra),
    st.sampled_from((0, 1, 2, 30, 31, 88, 90, 200, 201, 400)),
    st.sampled_from((0, 4, 5, 12, 18, 23)),
    st.sampled_from((0, 0, 0, 1, 999_999)),
)
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
    discount=amounts,
    refund=amounts,
    kind=st.sampled_from(("purchase", "purchase", "purchase", "refund", "cancelled", "free")),
    source=st.sampled_from(("shop", "till")),
    lines=lines,
)
cards = st.builds(
    Card,
    person=st.sampled_from((*PEOPLE, "eve")),
    country=st.sampled_from((None, "GB", "France")),
    email=st.sampled_from((None, "someone@example.com")),
    created_at=st.none() | instants,
)


small_shops = st.builds(
    SmallShop,
    sales=st.lists(sales, max_size=25),
    cards=st.lists(cards, max_size=4, unique_by=lambda card: card.person),
    products=st.just(PRODUCTS),
    zone=st.just(ZONE),
)
