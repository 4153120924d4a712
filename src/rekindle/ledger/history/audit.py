"""The log of who did what to which journey, message or person, and when.

Entries are only added. What people do is written in the transaction that does it, so
nothing is done without its entry nor entered without being done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rekindle.ledger import models
from rekindle.ledger.queries import ledger_errors, ledger_transaction


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One deed. ``subject`` is what it was done to; ``detail`` what else is to be known."""

    at: datetime
    who: str
    action: str
    subject: str
    detail: Mapping[str, Any]


class AuditLog:
    """The audit log of one ledger. Every method raises LedgerError when it refuses."""

    def __init__(self, alias: str) -> None:
        self._alias = alias

    def write(
        self, who: str, action: str, subject: str, detail: Mapping[str, Any], at: datetime
    ) -> None:
        """Add an entry, in the caller's transaction where there is one.

        ``detail`` holds what JSON can.
        """
        with ledger_transaction(self._alias):
            models.AuditEntry.objects.using(self._alias).create(
                who=who, action=action, subject=subject, detail=dict(detail), at=at
            )

    @ledger_errors()
    def entries(self, subject: str | None = None, limit: int = 100) -> Sequence[AuditEntry]:
        """Return the newest ``limit`` entries, of one subject or of all, newest first."""
        rows = models.AuditEntry.objects.using(self._alias).order_by("-at", "-id")
        if subject is not None:
            rows = rows.filter(subject=subject)
        return [
            AuditEntry(row.at, row.who, row.action, row.subject, row.detail) for row in rows[:limit]
        ]

    @ledger_errors()
    def of_action(self, action: str, *, since: datetime | None = None) -> Sequence[AuditEntry]:
        """Return every entry of one action, oldest first."""
        rows = models.AuditEntry.objects.using(self._alias).filter(action=action)
        if since is not None:
            rows = rows.filter(at__gte=since)
        return [
            AuditEntry(row.at, row.who, row.action, row.subject, row.detail)
            for row in rows.order_by("at", "id")
        ]
