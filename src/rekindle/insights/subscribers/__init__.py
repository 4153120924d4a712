"""What the history says of subscribers: what they bring, who left, why, and who came back."""

from __future__ import annotations

from rekindle.insights.subscribers.building import build_subscriptions
from rekindle.insights.subscribers.model import SubscriptionAudit

__all__ = ["SubscriptionAudit", "build_subscriptions"]
