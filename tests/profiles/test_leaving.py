"""Why people left, by their newest answer, and how often they asked for help."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from rekindle.config import LifecycleSettings
from rekindle.profiles import build_profiles
from rekindle.testing.small_shop import Sale, SmallShop
from tests.profiles.conftest import DAY_0

COLUMNS = ("left_because", "left_because_at", "support_requests")


def event(name: str, day: int, who: str | None = "ann") -> dict[str, Any]:
    at = DAY_0 + timedelta(days=day)
    key = f"{name}{day}{who}"
    return {
        "source": "api",
        "event_id": key,
        "customer_id": who,
        "event": name,
        "occurred_at": at,
    }


def profile(rows: list[dict[str, Any]], at: datetime) -> dict[str, Any]:
    engine = SmallShop([Sale("ann", DAY_0)], rows={"events": rows}).engine()
    table = build_profiles(engine.facts(), at, LifecycleSettings(), columns=COLUMNS)
    (found,) = engine.run(table).to_pylist()
    engine.close()
    return dict(found)


ROWS = [
    event("left_because_too_often", 10),
    event("left_because_other", 20),
    event("left_because_bad_experience", 20),
    event("left_because_", 25),
    event("left_because_not_relevant", 30, "bob"),
    event("left_because_not_relevant", 30, None),
    event("support_ticket", 5),
    event("support_request", 15),
    event("support", 16),
]


@pytest.mark.parametrize(
    ("day", "reason", "since", "requests"),
    [
        (5, None, None, 0),
        (10, None, None, 1),
        (11, "too_often", 10, 1),
        (20, "too_often", 10, 2),
        (21, "other", 20, 2),
        (99, "other", 20, 2),
    ],
)
def test_the_newest_answer_counts_once_it_was_given(
    day: int, reason: str | None, since: int | None, requests: int
) -> None:
    found = profile(ROWS, DAY_0 + timedelta(days=day))
    said_at = None if since is None else DAY_0 + timedelta(days=since)
    assert found == {
        "left_because": reason,
        "left_because_at": said_at,
        "support_requests": requests,
    }
