from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from rekindle.billing import Biller, find_billers
from rekindle.clock import MovableClock
from rekindle.config import BillingSettings
from rekindle.testing.biller import FakeBiller, running_biller, running_chargebee
from tests.billing.stages import ChargebeeStage
from tests.channels.postbox import CERTIFICATE

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


CHARGEBEE = {
    "REKINDLE_CHARGEBEE_KEY": "cb_test_fake",
    "REKINDLE_CHARGEBEE_WEBHOOK_PASSWORD": "a password",
}


@pytest.fixture
def chargebee(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChargebeeStage]:
    # The library reads every certificate the machine trusts for each request (3.29), which is
    # most of its time. One is enough where no request leaves the machine.
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with running_chargebee(MovableClock(NOW)) as fake:
        settings = BillingSettings(provider="chargebee", url=fake.url, customer_key="user_id")
        biller = find_billers()["chargebee"].build(settings, CHARGEBEE)
        yield ChargebeeStage(fake.site, fake, biller, "chargebee")
