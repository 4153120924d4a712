from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from rekindle.billing import Biller, find_billers
from rekindle.clock import MovableClock
from rekindle.config import BillingSettings
from rekindle.testing.biller import FakeBiller, running_biller

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def fake() -> Iterator[FakeBiller]:
    with running_biller(MovableClock(NOW)) as running:
        yield running


@pytest.fixture
def biller(fake: FakeBiller) -> Biller:
    settings = BillingSettings(provider="stripe", url=fake.url, customer_key="user_id")
    secrets = {
        "REKINDLE_STRIPE_KEY": "sk_test_fake",
        "REKINDLE_STRIPE_WEBHOOK_SECRET": "whsec_test",
    }
    return find_billers()["stripe"].build(settings, secrets)
