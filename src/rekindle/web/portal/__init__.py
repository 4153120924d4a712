"""The pages a customer sees: today the one on which they leave the list."""

from rekindle.web.portal.app import build_app
from rekindle.web.portal.interfaces import OptOuts
from rekindle.web.portal.serving import PASS_EVERY_SECONDS, build_portal

__all__ = ["PASS_EVERY_SECONDS", "OptOuts", "build_app", "build_portal"]
