"""What Rekindle decided and did, kept in SQLite or PostgreSQL.

A model class cannot exist before Django is configured, so importing this face
configures it, once, without a settings module.
"""

from rekindle.ledger.setup import configure, connect, disconnect, mend, migrate

configure()

from rekindle.ledger.book import LedgerBook, hash_address  # noqa: E402
from rekindle.ledger.history import (  # noqa: E402
    DecisionCount,
    DecisionEntry,
    EnrolmentEntry,
    History,
    MessageEntry,
)
from rekindle.ledger.intake import Inbox, Spooled, Taken  # noqa: E402
from rekindle.ledger.keys import ApiKey, Keys, Scope  # noqa: E402
from rekindle.ledger.models import MessageState  # noqa: E402
from rekindle.ledger.outbox import Outbox, OutboxMessage, Recovered, StuckMessage  # noqa: E402

__all__ = [
    "ApiKey",
    "DecisionCount",
    "DecisionEntry",
    "EnrolmentEntry",
    "History",
    "Inbox",
    "Keys",
    "LedgerBook",
    "MessageEntry",
    "MessageState",
    "Outbox",
    "OutboxMessage",
    "Recovered",
    "Scope",
    "Spooled",
    "StuckMessage",
    "Taken",
    "configure",
    "connect",
    "disconnect",
    "hash_address",
    "mend",
    "migrate",
]
