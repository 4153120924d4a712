"""Subscriptions that Chargebee bills."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from rekindle.billing.model import Biller, BillerAbilities, BillerFolder
from rekindle.config import BillingSettings
from rekindle.errors import ConfigError

KEY = "REKINDLE_CHARGEBEE_KEY"
WEBHOOK_PASSWORD = "REKINDLE_CHARGEBEE_WEBHOOK_PASSWORD"
VERSION = "v2"


def build(settings: BillingSettings, secrets: Mapping[str, str]) -> Biller:
    """Return what speaks with Chargebee.

    Raises:
        ConfigError: its library is not installed, or the site is not named.
    """
    try:
        from rekindle.billing.chargebee.biller import ChargebeeBiller
    except ModuleNotFoundError as error:
        raise ConfigError("Chargebee needs its library: install rekindle[chargebee]") from error
    return ChargebeeBiller(
        settings, key=secrets[KEY], password=secrets[WEBHOOK_PASSWORD], version=VERSION
    )


NOTICES = (
    "customer_created",
    "customer_changed",
    "subscription_created",
    "subscription_started",
    "subscription_activated",
    "subscription_changed",
    "subscription_renewed",
    "subscription_cancellation_scheduled",
    "subscription_scheduled_cancellation_removed",
    "subscription_cancelled",
    "subscription_reactivated",
    "subscription_paused",
    "subscription_resumed",
    "invoice_generated",
    "invoice_updated",
    "payment_succeeded",
    "payment_failed",
    "payment_source_added",
    "payment_source_updated",
    "payment_source_deleted",
)
BILLER = BillerFolder(
    "chargebee",
    "Chargebee",
    (KEY, WEBHOOK_PASSWORD),
    build,
    NOTICES,
    # https://apidocs.chargebee.com/docs/api/idempotency: a key is known for 30 minutes.
    BillerAbilities(
        revives=True,
        is_signed=False,
        keys_live=timedelta(minutes=25),
        can_change=True,
        pause_spares_paid=True,
    ),
    version=VERSION,
    extra="chargebee",
)

__all__ = ["BILLER"]
