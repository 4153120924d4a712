"""The way back in: what the user's own system says became of a message."""

from __future__ import annotations

from collections.abc import Mapping

from rekindle.channels.webhook.settings import SECRET, WebhookSettings
from rekindle.messages import Webhook


def build_reports(settings: WebhookSettings, *, secrets: Mapping[str, str]) -> Webhook:
    """Return what reads the reports."""
    from rekindle.channels.webhook.posting.reports import PostedReports

    return PostedReports(secrets.get(SECRET, ""))
