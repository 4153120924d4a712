"""What the history says and what a journey earned, as values, tables and pages."""

from __future__ import annotations

from rekindle.insights.audit import HORIZON, build_audit
from rekindle.insights.model import Audit
from rekindle.insights.record import JourneyRecord, Membership, SentMessage
from rekindle.insights.report import JourneyReport, build_report

__all__ = [
    "HORIZON",
    "Audit",
    "JourneyRecord",
    "JourneyReport",
    "Membership",
    "SentMessage",
    "build_audit",
    "build_report",
]
