"""The way back in: that a letter was posted, delivered, or came back."""

from __future__ import annotations

from collections.abc import Mapping

from rekindle.channels.letter.settings import LOB_REPORTS, LetterSettings
from rekindle.messages import Webhook


def build_lob_reports(settings: LetterSettings, *, secrets: Mapping[str, str]) -> Webhook:
    """Return what reads Lob's reports."""
    from rekindle.channels.letter.lob.reports import LobReports

    return LobReports(secrets.get(LOB_REPORTS, ""))
