"""The pages a customer sees: today the one on which they leave the list."""

from rekindle.portal.app import build_app
from rekindle.portal.interfaces import Subscriptions
from rekindle.portal.serving import serve
from rekindle.portal.tokens import Subscription, read_unsubscribe, sign_unsubscribe

__all__ = [
    "Subscription",
    "Subscriptions",
    "build_app",
    "read_unsubscribe",
    "serve",
    "sign_unsubscribe",
]
