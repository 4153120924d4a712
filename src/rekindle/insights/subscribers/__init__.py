"""What the history says of subscribers: what they bring, who left, why, and who came back."""

from __future__ import annotations

from rekindle.insights.subscribers.building import build_subscriptions
from rekindle.insights.subscribers.model import SubscriptionAudit
from rekindle.insights.subscribers.worth import NO_RULES

__all__ = ["NO_RULES", "SubscriptionAudit", "build_subscriptions"]
