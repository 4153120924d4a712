"""The pages a customer sees: today the one on which they leave the list."""

from rekindle.web.portal.app import build_app
from rekindle.web.portal.interfaces import Subscriptions
from rekindle.web.portal.serving import PASS_EVERY_SECONDS, build_portal

__all__ = ["PASS_EVERY_SECONDS", "Subscriptions", "build_app", "build_portal"]
