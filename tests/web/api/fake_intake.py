"""An intake in memory, for what does not depend on a database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from rekindle.intake import Event
from rekindle.ledger import ApiKey, Scope

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = ApiKey("shop", "web", frozenset({Scope.EVENTS}), NOW)


class FakeIntake:
    """Knows one key, remembers what it took, and fails on request."""

    def __init__(self) -> None:
        self.taken: list[Event] = []
        self.failure: Exception | None = None

    def now(self) -> datetime:
        return NOW

    def key_of(self, secret: str) -> ApiKey | None:
        return KEY if secret == "right" else None

    def take(self, source: str, events: Sequence[Event], at: datetime) -> frozenset[str]:
        if self.failure:
            raise self.failure
        self.taken += events
        return frozenset()
