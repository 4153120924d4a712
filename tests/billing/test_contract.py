"""Each provider keeps every promise of the protocol."""

from __future__ import annotations

import pytest

from rekindle.billing import Biller
from rekindle.testing.biller import FakeBiller
from rekindle.testing.biller.contract import BillerContract, BillerStage
from tests.billing.stages import ChargebeeStage, StripeStage


class TestStripe(BillerContract):
    @pytest.fixture
    def stage(self, fake: FakeBiller, biller: Biller) -> BillerStage:
        return StripeStage(fake.world, fake, biller, "stripe")


class TestChargebee(BillerContract):
    @pytest.fixture
    def stage(self, chargebee: ChargebeeStage) -> BillerStage:
        return chargebee
