"""Keeps keys and links that are permissions out of logs.

An unsubscribe link works for as long as the message is kept, and Django writes the address
of a request it refuses into its log. Whoever reads logs must not be able to act by them.
"""

from __future__ import annotations

import logging

from rekindle.consent import hide_permissions


class HidingFilter(logging.Filter):
    """Takes permissions out of what a logger says, whoever handles it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record where it must be; always let it through."""
        text = record.getMessage()
        if (hidden := hide_permissions(text)) != text:
            record.msg, record.args = hidden, ()
        return True


def hide_in_logs() -> None:
    """Let Django's loggers of requests say no address that is a permission."""
    for name in ("django.request", "django.server", "django.security"):
        logger = logging.getLogger(name)
        if not any(isinstance(one, HidingFilter) for one in logger.filters):
            logger.addFilter(HidingFilter())
