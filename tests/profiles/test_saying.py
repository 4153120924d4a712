"""Values of a profile are written for people in one way."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from rekindle.profiles import say_column

LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("lifetime_value", Decimal("1316.9900"), "€1,316.99"),
        ("average_order_value", 159.1249, "€159.12"),
        ("refund_value", Decimal(0), "€0.00"),
        ("top_category_share", 0.6249, "62.5 %"),
        ("expected_gap_days", 45.65, "46"),
        ("silence_ratio", 3.931, "3.93"),
        ("orders_count", 1200, "1,200"),
        ("has_email", True, "yes"),
        ("tier", "at_risk", "at_risk"),
        ("renews_on", None, "–"),
        ("last_order_on", date(2010, 7, 1), "2010-07-01"),
        ("last_order_at", datetime(2010, 7, 1, 12, tzinfo=UTC), "2010-07-01 13:00"),
    ],
)
def test_a_value_is_said_the_way_its_kind_is(name: str, value: object, said: str) -> None:
    assert say_column(name, value, currency="EUR", zone=LONDON) == said
