"""The pages on which people come back to a subscription, or give another card for it."""

from rekindle.web.portal.subscription.leaving import Leavers, LeavingPages
from rekindle.web.portal.subscription.pages import Subscribers, SubscriptionPages

__all__ = ["Leavers", "LeavingPages", "Subscribers", "SubscriptionPages"]
