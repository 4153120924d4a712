"""What was decided, done and said about it, read back; and the log of who did what."""

from rekindle.ledger.history.audit import AuditEntry, AuditLog
from rekindle.ledger.history.extent import load_extent, load_newest_write
from rekindle.ledger.history.fates import FateEntry, load_agreed, load_fates, write_query
from rekindle.ledger.history.health import load_windows
from rekindle.ledger.history.history import History
from rekindle.ledger.history.model import (
    DecisionCount,
    DecisionEntry,
    EnrolmentEntry,
    ExclusionEntry,
    JourneyEntry,
    MessageEntry,
    SignalEntry,
    SuppressionEntry,
)
from rekindle.ledger.history.tallying import (
    JourneyTally,
    Waiting,
    tally_journeys,
    tally_messages,
)
from rekindle.ledger.history.variants import VariantEntry, load_click_rate, load_variants
from rekindle.ledger.history.watched import load_running, load_watched

__all__ = [
    "AuditEntry",
    "AuditLog",
    "DecisionCount",
    "DecisionEntry",
    "EnrolmentEntry",
    "ExclusionEntry",
    "FateEntry",
    "History",
    "JourneyEntry",
    "JourneyTally",
    "MessageEntry",
    "SignalEntry",
    "SuppressionEntry",
    "VariantEntry",
    "Waiting",
    "load_agreed",
    "load_click_rate",
    "load_extent",
    "load_fates",
    "load_newest_write",
    "load_running",
    "load_variants",
    "load_watched",
    "load_windows",
    "tally_journeys",
    "tally_messages",
    "write_query",
]
