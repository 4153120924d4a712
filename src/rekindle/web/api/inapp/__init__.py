"""What apps and pages ask: what is somebody to see now; and tell: what they did with it."""

from rekindle.web.api.inapp.tokens import read_person, sign_person
from rekindle.web.api.inapp.views import ASK, EVENTS, InApp, Keeper

__all__ = ["ASK", "EVENTS", "InApp", "Keeper", "read_person", "sign_person"]
