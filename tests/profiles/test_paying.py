"""Until when a card is good: of the newest, as it was known, and never of a nonsense month."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from rekindle.config import LifecycleSettings
from rekindle.profiles import build_profiles
from rekindle.testing.family_contract import check_families
from rekindle.testing.small_shop import SmallShop
from tests.profiles.conftest import DAY_0


def card(since: int, month: int | None, year: int | None, removed: int | None = None) -> Any:
    gone = None if removed is None else DAY_0 + timedelta(days=removed)
    return {
        "source": "billing",
        "payment_method_id": f"pm{since}",
        "customer_id": "ann",
        "since": DAY_0 + timedelta(days=since),
        "expiry_month": month,
        "expiry_year": year,
        "removed_at": gone,
    }


def expires(rows: list[Any], at: datetime) -> date | None:
    paid = {"source": "billing", "subscription_id": "s", "customer_id": "ann", "started_at": DAY_0}
    shop = SmallShop([], rows={"payment_methods": rows, "subscriptions": [paid]})
    engine = shop.engine()
    columns = ("customer_id", "card_expires_on")
    (found,) = engine.run(
        build_profiles(engine.facts(), at, LifecycleSettings(), columns=columns)
    ).to_pylist()
    engine.close()
    day: date | None = found["card_expires_on"]
    return day


@pytest.mark.draws(4)
@pytest.mark.parametrize(
    ("rows", "day"),
    [
        ([], None),
        ([card(1, 2, 2028)], date(2028, 2, 29)),
        ([card(1, 12, 27)], date(2027, 12, 31)),
        ([card(1, 13, 2027)], None),
        ([card(1, 0, 2027)], None),
        ([card(1, 5, None)], None),
        ([card(1, 5, 9999)], None),
        ([card(1, 5, 2027), card(2, 3, 2026)], date(2026, 3, 31)),  # the newest, not the longest
        ([card(1, 5, 2027), card(2, None, None)], None),  # a debit, which never expires
        ([card(1, 5, 2027), card(60, 3, 2030)], date(2027, 5, 31)),  # not known yet
        ([card(1, 5, 2027, removed=20)], None),
        ([card(1, 5, 2027, removed=60)], date(2027, 5, 31)),
    ],
)
def test_the_newest_card_says_until_when_it_is_good(rows: list[Any], day: date | None) -> None:
    assert expires(rows, DAY_0 + timedelta(days=30)) == day


@pytest.mark.long
def test_the_family_keeps_what_families_promise() -> None:
    check_families("paying")
