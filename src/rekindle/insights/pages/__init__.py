"""Audits, reports and registers as one HTML file each."""

from __future__ import annotations

from rekindle.insights.pages.audits import audit_page, card_markdown, card_page, report_page
from rekindle.insights.pages.kept import kept_page

__all__ = ["audit_page", "card_markdown", "card_page", "kept_page", "report_page"]
