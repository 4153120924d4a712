"""A biller in a process of one's own: its objects, its clock, its server and its webhooks.

It speaks Stripe's shapes or Chargebee's, so that their official libraries talk with it over HTTP.
"""

from rekindle.testing.biller.chargebee import (
    ChargebeeWorld,
    FakeChargebee,
    post_notice,
    running_chargebee,
)
from rekindle.testing.biller.server import FakeBiller, running_biller
from rekindle.testing.biller.world import BillerWorld, Refusal, sign_notice

__all__ = [
    "BillerWorld",
    "ChargebeeWorld",
    "FakeBiller",
    "FakeChargebee",
    "Refusal",
    "post_notice",
    "running_biller",
    "running_chargebee",
    "sign_notice",
]
