"""When a pause is to end by itself: as it was announced, and nothing of who goes on already."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from rekindle.config import LifecycleSettings
from rekindle.profiles import build_profiles
from rekindle.testing.small_shop import SmallShop
from tests.profiles.conftest import DAY_0


def day(number: int) -> datetime:
    return DAY_0 + timedelta(days=number)


def pause(since: int, planned: int | None, over: int | None, sub: str = "s") -> Any:
    return {
        "source": "billing",
        "subscription_id": sub,
        "paused_at": day(since),
        "planned_until": None if planned is None else day(planned),
        "resumed_at": None if over is None else day(over),
    }


def resumes(rows: list[Any], at: datetime) -> tuple[str | None, date | None]:
    paid = {
        "source": "billing",
        "customer_id": "ann",
        "started_at": DAY_0,
        "amount": 10,
        "interval": "month",
        "plan": "Gold",
        "quantity": 1,
    }
    subs = [{**paid, "subscription_id": one} for one in ("s", "t")]
    shop = SmallShop([], rows={"pauses": rows, "subscriptions": subs})
    engine = shop.engine()
    columns = ("customer_id", "subscription_state", "resumes_on")
    (found,) = engine.run(
        build_profiles(engine.facts(), at, LifecycleSettings(), columns=columns)
    ).to_pylist()
    engine.close()
    return found["subscription_state"], found["resumes_on"]


@pytest.mark.draws(1)
@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([], ("subscribed", None)),
        ([pause(10, 40, 40), pause(10, 60, 60, "t")], ("paused", 40)),
        ([pause(10, None, 50), pause(10, None, None, "t")], ("paused", 50)),
        ([pause(10, None, None), pause(10, None, None, "t")], ("paused", None)),
        ([pause(10, 40, 40)], ("subscribed", None)),  # the other one runs
        ([pause(10, 40, 20), pause(10, 40, 20, "t")], ("subscribed", None)),  # went on early
        ([pause(10, 60, 35), pause(10, 60, 35, "t")], ("paused", 60)),  # does so only tomorrow
        ([pause(31, 60, 60), pause(31, 60, 60, "t")], ("subscribed", None)),  # not known yet
    ],
)
def test_a_pause_says_when_it_ends_by_itself(
    rows: list[Any], found: tuple[str, int | None]
) -> None:
    state, number = found
    expected = None if number is None else day(number).date()
    assert resumes(rows, day(30)) == (state, expected)
