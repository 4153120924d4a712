"""Tells the team what needs them, once a cause, and that it is over."""

from rekindle.worker.keeping.alerts.keeper import AlertKeeper
from rekindle.worker.keeping.alerts.telling import read_alert_urls, tell_team

__all__ = ["AlertKeeper", "read_alert_urls", "tell_team"]
