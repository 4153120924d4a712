"""The pages a customer sees: today the one on which they leave the list."""

from rekindle.web.portal.app import build_app
from rekindle.web.portal.interfaces import Subscriptions
from rekindle.web.portal.serving import build_portal

__all__ = ["Subscriptions", "build_app", "build_portal"]
