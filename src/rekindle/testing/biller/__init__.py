"""A biller in a process of one's own: its objects, its clock, its server and its webhooks.

It speaks Stripe's shapes, so that Stripe's official library talks with it over HTTP.
"""

from rekindle.testing.biller.server import FakeBiller, running_biller
from rekindle.testing.biller.world import BillerWorld, Refusal, sign_notice

__all__ = ["BillerWorld", "FakeBiller", "Refusal", "running_biller", "sign_notice"]
