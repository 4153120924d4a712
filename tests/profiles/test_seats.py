"""How many of a team have a seat, beside for how many is paid, on any day."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from rekindle.config import LifecycleSettings
from rekindle.profiles import build_profiles
from rekindle.testing.family_contract import check_families
from rekindle.testing.small_shop import SmallShop


def at(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def seat(member: str, since: str, removed: str | None = None, who: str = "a") -> dict[str, Any]:
    row = {"source": "app", "customer_id": who, "member_id": member, "since": at(since)}
    return row | {"removed_at": None if removed is None else at(removed)}


def subscription(number: str, since: str, until: str | None = None, **more: Any) -> dict[str, Any]:
    days = {"started_at": at(since), "ended_at": None if until is None else at(until)}
    return {"source": "billing", "subscription_id": number, "customer_id": "a", **days, **more}


def change(number: str, on: str, quantity: int | None) -> dict[str, Any]:
    of = {"source": "billing", "subscription_id": number}
    return {**of, "changed_at": at(on), "quantity": quantity}


def seen(day: str, **rows: list[dict[str, Any]]) -> tuple[int | None, int | None]:
    """Return how many seats the customer `a` uses and pays for, as seen at the end of a day."""
    engine = SmallShop([], rows=rows).engine()
    columns = ("customer_id", "seats_used", "seats_paid")
    table = build_profiles(engine.facts(), at(day), LifecycleSettings(), columns=columns)
    (found,) = [row for row in engine.run(table).to_pylist() if row["customer_id"] == "a"]
    engine.close()
    return found["seats_used"], found["seats_paid"]


@pytest.mark.long
def test_members_come_and_go_and_come_back() -> None:
    rows = {
        "subscriptions": [subscription("s", "2024-01-01", quantity=5)],
        "seats": [
            seat("owner", "2024-01-02"),
            seat("ben", "2024-01-05", "2024-02-01"),
            seat("ben", "2024-03-01"),
            # Invited again while the seat was theirs: one member, one seat.
            seat("cat", "2024-01-06"),
            seat("cat", "2024-02-06"),
        ],
    }
    days = ("2024-01-05", "2024-01-07", "2024-02-02", "2024-02-10", "2024-03-02")
    assert [seen(day, **rows) for day in days] == [(1, 5), (3, 5), (2, 5), (2, 5), (3, 5)]


@pytest.mark.long
def test_what_is_paid_for_is_of_all_that_runs() -> None:
    rows = {
        "subscriptions": [
            subscription("s", "2024-01-01", "2024-06-01", quantity=2),
            subscription("t", "2024-02-01", quantity=4, is_trial=True),
            subscription("u", "2024-01-01", "2024-03-01"),
        ],
        "subscription_changes": [
            change("s", "2024-03-01", 3),
            change("s", "2024-04-01", None),  # the price changed, and nothing is said of seats
            change("t", "2024-02-15", 4),
            change("s", "2024-07-01", 9),  # over is over
        ],
        "seats": [seat("owner", "2024-01-02")],
    }
    days = ("2024-01-10", "2024-02-10", "2024-02-20", "2024-04-10", "2024-06-10", "2024-07-10")
    assert [seen(day, **rows)[1] for day in days] == [2, 2, 6, 7, 4, 4]


def test_who_left_has_a_team_that_waits() -> None:
    rows = {
        "subscriptions": [subscription("s", "2024-01-01", "2024-03-01", quantity=2)],
        "seats": [seat("owner", "2024-01-02"), seat("ben", "2024-01-02")],
    }
    assert seen("2024-04-01", **rows) == (2, 0)


@pytest.mark.long
def test_nothing_is_said_where_nothing_is_known() -> None:
    unsaid = {"subscriptions": [subscription("s", "2024-01-01", "2024-03-01")]}
    assert seen("2024-04-01", **unsaid, seats=[seat("owner", "2024-01-02")]) == (1, None)
    # Those of another customer are none of theirs, and before the first nobody asks.
    paid = {"subscriptions": [subscription("s", "2024-01-01", quantity=3)]}
    assert seen("2024-04-01", **paid, seats=[seat("x", "2024-01-02", who="b")]) == (None, None)
    assert seen("2024-01-05", **paid, seats=[seat("x", "2024-02-02")]) == (None, None)


@pytest.mark.long
def test_the_columns_keep_what_families_promise() -> None:
    check_families("seats")
