"""What Rekindle decided and did, kept in SQLite or PostgreSQL.

A model class cannot exist before Django is configured, so importing this face
configures it, once, without a settings module.
"""

from rekindle.ledger.setup import configure, connect, disconnect, let_go, mend, migrate

configure()

from rekindle.ledger.book import LedgerBook  # noqa: E402
from rekindle.ledger.bulk import without_collector  # noqa: E402
from rekindle.ledger.hashing import hash_address  # noqa: E402
from rekindle.ledger.history import (  # noqa: E402
    AuditEntry,
    AuditLog,
    DecisionCount,
    DecisionEntry,
    EnrolmentEntry,
    ExclusionEntry,
    History,
    JourneyEntry,
    MessageEntry,
    SignalEntry,
    SuppressionEntry,
    load_extent,
    load_newest_write,
    load_windows,
)
from rekindle.ledger.intake import (  # noqa: E402
    ApiKey,
    Inbox,
    Keys,
    Report,
    Scope,
    Spooled,
    Taken,
    read_reports,
    spooled_sources,
)
from rekindle.ledger.models import JourneyState, MessageState  # noqa: E402
from rekindle.ledger.outbox import (  # noqa: E402
    MAX_ATTEMPTS,
    Meters,
    Outbox,
    OutboxMessage,
    Recovered,
    StuckMessage,
)
from rekindle.ledger.queries import ledger_transaction  # noqa: E402

__all__ = [
    "MAX_ATTEMPTS",
    "ApiKey",
    "AuditEntry",
    "AuditLog",
    "DecisionCount",
    "DecisionEntry",
    "EnrolmentEntry",
    "ExclusionEntry",
    "History",
    "Inbox",
    "JourneyEntry",
    "JourneyState",
    "Keys",
    "LedgerBook",
    "MessageEntry",
    "MessageState",
    "Meters",
    "Outbox",
    "OutboxMessage",
    "Recovered",
    "Report",
    "Scope",
    "SignalEntry",
    "Spooled",
    "StuckMessage",
    "SuppressionEntry",
    "Taken",
    "configure",
    "connect",
    "disconnect",
    "hash_address",
    "ledger_transaction",
    "let_go",
    "load_extent",
    "load_newest_write",
    "load_windows",
    "mend",
    "migrate",
    "read_reports",
    "spooled_sources",
    "without_collector",
]
