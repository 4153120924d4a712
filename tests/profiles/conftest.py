"""A shop of a few sales, asked about on a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from rekindle.config import LifecycleSettings
from rekindle.profiles import build_profiles
from rekindle.testing.small_shop import Sale, SmallShop

DAY_0 = datetime(2024, 1, 1, 12, tzinfo=UTC)
Profile = dict[str, Any]
Ask = Callable[..., dict[str, Profile]]


def day(number: int) -> datetime:
    return DAY_0 + timedelta(days=number)


def bought(person: str, *days: int, gross: int = 10, **more: Any) -> list[Sale]:
    return [Sale(person, day(number), gross=Decimal(gross), **more) for number in days]


@pytest.fixture
def ask() -> Ask:
    """Return a function that gives the profiles of a shop by person."""

    def asked(
        shop: SmallShop, on: int, settings: LifecycleSettings | None = None
    ) -> dict[str, Profile]:
        engine = shop.engine()
        facts = engine.facts()
        table = build_profiles(facts, day(on), settings or LifecycleSettings())
        rows = engine.run(table).to_pylist()
        engine.close()
        return {row["customer_id"]: row for row in rows}

    return asked
