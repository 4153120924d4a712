"""What Rekindle decided and did, kept in SQLite or PostgreSQL.

A model class cannot exist before Django is configured, so importing this face
configures it, once, without a settings module.
"""

from rekindle.ledger.setup import configure, connect, disconnect, migrate

configure()

from rekindle.ledger.book import LedgerBook, hash_address  # noqa: E402
from rekindle.ledger.history import (  # noqa: E402
    DecisionCount,
    DecisionEntry,
    EnrolmentEntry,
    History,
    MessageEntry,
)
from rekindle.ledger.models import MessageState  # noqa: E402
from rekindle.ledger.outbox import Outbox, OutboxMessage, Recovered, StuckMessage  # noqa: E402

__all__ = [
    "DecisionCount",
    "DecisionEntry",
    "EnrolmentEntry",
    "History",
    "LedgerBook",
    "MessageEntry",
    "MessageState",
    "Outbox",
    "OutboxMessage",
    "Recovered",
    "StuckMessage",
    "configure",
    "connect",
    "disconnect",
    "hash_address",
    "migrate",
]
