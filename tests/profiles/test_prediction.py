"""A kept score is shown from its instant on, while it counts, and never silently old."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from rekindle.config import LifecycleSettings
from rekindle.profiles import FAMILIES, build_profiles
from rekindle.testing.small_shop import Sale, SmallShop
from tests.profiles.conftest import DAY_0

COLUMNS = tuple(column.name for column in FAMILIES["prediction"].columns)
SCORED = DAY_0 + timedelta(days=100)


def score(days: float = 100, chance: str = "0.25", **more: Any) -> dict[str, Any]:
    at = DAY_0 + timedelta(days=days)
    return {
        "source": "rekindle",
        "customer_id": "ann",
        "scored_at": at,
        "good_until_on": (at + timedelta(days=7)).date(),
        "return_probability": Decimal(chance),
        **more,
    }


def profile(rows: list[dict[str, Any]], at: datetime, *days: int) -> dict[str, Any]:
    sales = [Sale("ann", DAY_0 + timedelta(days=day)) for day in days or (0, 10)]
    shop = SmallShop(sales, rows={"scores": rows}, persons={"old": "ann"})
    engine = shop.engine()
    table = build_profiles(engine.facts(), at, LifecycleSettings(), columns=COLUMNS)
    (found,) = engine.run(table).to_pylist()
    engine.close()
    return dict(found)


@pytest.mark.parametrize(
    ("days", "shown"),
    [(-0.001, None), (0, None), (0.001, 0.25), (7, 0.25), (8, None), (300, None)],
)
def test_a_score_is_seen_after_its_instant_until_its_last_day(
    days: float, shown: float | None
) -> None:
    found = profile([score()], SCORED + timedelta(days=days))
    assert found["return_probability"] == shown
    assert found["scored_at"] == (SCORED if days > 0 else None)  # it is said how old it is


def test_the_newest_score_counts_whichever_way_it_says_less() -> None:
    rows = [score(), score(102, "0.125"), score(101, "0.5", lapse_risk=Decimal("0.75"))]
    found = profile(rows, DAY_0 + timedelta(days=103))
    assert (found["return_probability"], found["lapse_risk"]) == (0.125, None)


@pytest.mark.parametrize(("bought", "shown"), [(99, 0.25), (101, None)])
def test_a_score_says_nothing_of_who_ordered_since(bought: int, shown: float | None) -> None:
    found = profile([score()], DAY_0 + timedelta(days=102), 0, bought)
    assert found["return_probability"] == shown


def test_scores_follow_the_person_and_dates_are_dates() -> None:
    row = score(customer_id="old", next_order_on=date(2024, 5, 1), expected_return_on=None)
    found = profile([row, score(99)], SCORED + timedelta(days=1))
    assert (found["next_order_on"], found["return_probability"]) == (date(2024, 5, 1), 0.25)


def test_without_scores_all_is_blank() -> None:
    assert set(profile([], SCORED).values()) == {None}
