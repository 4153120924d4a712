"""What others report: who may, whose it is, and what becomes of it."""

from rekindle.ledger.intake.baskets import waiting_baskets
from rekindle.ledger.intake.exporting import forget_facts_of_erased, spooled_sources
from rekindle.ledger.intake.inbox import Inbox, Taken
from rekindle.ledger.intake.keys import ApiKey, ApiKeys, Scope
from rekindle.ledger.intake.meeting import find_meetings
from rekindle.ledger.intake.notices import HeardNotice, KeptNotices, lines_of, load_last_notice
from rekindle.ledger.intake.readying import ReadyEvent, ready_events

__all__ = [
    "ApiKey",
    "ApiKeys",
    "HeardNotice",
    "Inbox",
    "KeptNotices",
    "ReadyEvent",
    "Scope",
    "Taken",
    "find_meetings",
    "forget_facts_of_erased",
    "lines_of",
    "load_last_notice",
    "ready_events",
    "spooled_sources",
    "waiting_baskets",
]
