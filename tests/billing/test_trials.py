"""A trial brings nothing; what it turns into is paid for from its end on, whenever that is seen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from rekindle.billing.chargebee.reading import ChargebeeReader
from rekindle.billing.folding import Kept, SeenFact, fold
from rekindle.runtime import Workspace
from rekindle.subscriptions import OURS, build_movements
from rekindle.testing.biller import FakeBiller
from tests.billing.conftest import NOW
from tests.billing.test_pulling import people, pull, rows, space

__all__ = ["space"]
DAY = timedelta(days=1)


def moved(space: Workspace) -> list[tuple[str, str, str]]:
    engine, facts = space.reading
    found = engine.run(build_movements(facts, space.clock.now() + DAY, OURS)).to_pylist()
    return sorted((row["on"].isoformat(), row["movement"], f"{row['amount']:.2f}") for row in found)


def tried(fake: FakeBiller, days: int, status: str, **more: Any) -> str:
    """Return a subscription of today whose trial lasts some days."""
    (sub,) = people(fake, 1)
    ends = int((fake.world.clock.now() + days * DAY).timestamp())
    fake.world.things[sub].update(trial_end=ends, status=status, **more)
    return sub


def second(days: int) -> int:
    return int((NOW + days * DAY).timestamp())


@pytest.mark.draws(1)
@pytest.mark.parametrize(
    "since",
    [
        pytest.param({"status": "canceled", "ended_at": second(5)}, id="left in it"),
        pytest.param({"status": "canceled", "ended_at": second(14)}, id="left as it ended"),
        pytest.param(
            {
                "status": "paused",
                "status_details": {
                    "paused": {"subscription": {"type": "trial_end_without_payment_method"}}
                },
            },
            id="gave no card",
        ),
        pytest.param({"status": "incomplete_expired", "trial_end": None}, id="the first failed"),
    ],
)
@pytest.mark.parametrize("is_seen_before", [True, False])
def test_a_trial_that_was_never_paid_is_no_subscriber_and_no_churn(
    fake: FakeBiller, space: Workspace, since: Mapping[str, Any], is_seen_before: bool
) -> None:
    sub = tried(fake, 14, "trialing")
    if is_seen_before:
        pull(space)
        assert moved(space) == []
    fake.world.clock.move(timedelta(days=20))
    fake.world.things[sub].update(since)
    pull(space)
    assert moved(space) == []


@pytest.mark.long
@pytest.mark.parametrize("is_seen_before", [True, False])
def test_a_trial_that_is_paid_for_begins_with_its_end(
    fake: FakeBiller, space: Workspace, is_seen_before: bool
) -> None:
    sub = tried(fake, 14, "trialing")
    if is_seen_before:
        pull(space)
        # Another plan while it is tried out is no sale yet.
        item = fake.world.things[sub]["items"]["data"][0]
        product = fake.world.things[item["price"]]["product"]
        item["price"] = fake.world.add_price(product, amount=2500)["id"]
        pull(space)
        assert moved(space) == []
    fake.world.clock.move(timedelta(days=20))
    fake.world.things[sub].update(status="active")
    for _ in range(2):
        pull(space)
        amount = "25.00" if is_seen_before else "10.00"
        assert moved(space) == [("2026-02-14", "new", amount)]
    fake.world.end(sub)
    pull(space)
    assert [word for _, word, _ in moved(space)] == ["new", "churn"]
    assert len(rows(space, "subscription_changes")) == 1


@pytest.mark.parametrize(
    ("status", "ends", "is_paid"),
    [
        ("in_trial", None, False),
        ("cancelled", 5, False),
        ("cancelled", 20, True),
        ("active", None, True),
    ],
)
def test_a_trial_at_chargebee_is_the_same(status: str, ends: int | None, is_paid: bool) -> None:
    thing = {
        "id": "s",
        "status": status,
        "started_at": second(0),
        "activated_at": second(14),
        "trial_end": second(14),
        "cancelled_at": None if ends is None else second(ends),
        "currency_code": "USD",
    }
    reader = ChargebeeReader("")
    said = [
        SeenFact(one.table, one.key, _as_json(one.row), NOW)
        for one in reader.read("subscription", thing, "u1", NOW)
    ]
    tables = fold(said, Kept())
    assert [row["is_trial"] for row in tables["subscriptions"]] == [True]
    changes = [row["changed_at"] for row in tables.get("subscription_changes", [])]
    assert changes == ([(NOW + 14 * DAY).isoformat()] if is_paid else [])


def _as_json(row: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in row.items()}
