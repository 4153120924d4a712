"""Subscriptions that Stripe bills."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from rekindle.billing.model import Biller, BillerAbilities, BillerFolder
from rekindle.config import BillingSettings
from rekindle.errors import ConfigError

KEY = "REKINDLE_STRIPE_KEY"
WEBHOOK_SECRET = "REKINDLE_STRIPE_WEBHOOK_SECRET"
VERSION = "2026-10-28.endive"


def build(settings: BillingSettings, secrets: Mapping[str, str]) -> Biller:
    """Return what speaks with Stripe.

    Raises:
        ConfigError: its library is not installed.
    """
    try:
        from rekindle.billing.stripe.biller import StripeBiller
    except ModuleNotFoundError as error:
        raise ConfigError("Stripe needs its library: install rekindle[stripe]") from error
    return StripeBiller(
        settings, key=secrets[KEY], webhook_secret=secrets[WEBHOOK_SECRET], version=VERSION
    )


NOTICES = (
    "customer.created",
    "customer.updated",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "invoice.finalized",
    "invoice.paid",
    "invoice.payment_failed",
    "invoice.voided",
    "invoice.marked_uncollectible",
    "charge.failed",
    "charge.succeeded",
    "payment_method.attached",
    "payment_method.updated",
    "payment_method.automatically_updated",
    "payment_method.detached",
)
BILLER = BillerFolder(
    "stripe",
    "Stripe",
    (KEY, WEBHOOK_SECRET),
    build,
    NOTICES,
    # https://docs.stripe.com/api/idempotent_requests: keys go after a day at the earliest.
    BillerAbilities(keys_live=timedelta(hours=23), can_change=True, pause_spares_paid=True),
    version=VERSION,
    extra="stripe",
)

__all__ = ["BILLER"]
