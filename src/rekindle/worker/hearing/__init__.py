"""What others report over HTTP: channels of messages, billers of subscriptions."""

from rekindle.worker.hearing.billers import BillerNotices
from rekindle.worker.hearing.identifying import MeetingWatch
from rekindle.worker.hearing.importing import bring_notices, heard_since
from rekindle.worker.hearing.providers import ProviderReports

__all__ = ["BillerNotices", "MeetingWatch", "ProviderReports", "bring_notices", "heard_since"]
