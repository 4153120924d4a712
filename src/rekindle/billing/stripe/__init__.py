"""Subscriptions that Stripe bills."""

from __future__ import annotations

from collections.abc import Mapping

from rekindle.billing.model import Biller, BillerFolder
from rekindle.config import BillingSettings
from rekindle.errors import ConfigError

KEY = "REKINDLE_STRIPE_KEY"
WEBHOOK_SECRET = "REKINDLE_STRIPE_WEBHOOK_SECRET"


def build(settings: BillingSettings, secrets: Mapping[str, str]) -> Biller:
    """Return what speaks with Stripe.

    Raises:
        ConfigError: its library is not installed.
    """
    try:
        from rekindle.billing.stripe.biller import StripeBiller
    except ModuleNotFoundError as error:
        raise ConfigError("Stripe needs its library: install rekindle[stripe]") from error
    return StripeBiller(settings, key=secrets[KEY], webhook_secret=secrets[WEBHOOK_SECRET])


BILLER = BillerFolder("stripe", "Stripe", (KEY, WEBHOOK_SECRET), build)

__all__ = ["BILLER"]
