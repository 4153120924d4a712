"""Which outlets are stopped because of something we have to mend, for every worker to know.

An outlet that was resumed is tried out by one message before any other leaves by it: what
was not mended after all costs one refusal and not thousands. A row is locked while it is
read and changed, so that one worker alone tries.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import QuerySet

from rekindle.errors import UsageError
from rekindle.ledger import models
from rekindle.ledger.history.audit import AuditLog
from rekindle.ledger.queries import fetch, ledger_errors, ledger_transaction

LONGEST_REASON = 500
ADDRESS = re.compile(r"[^\s<>]+@[^\s<>]+")
HIDDEN = "…"
WHO = "rekindle"


class DoorState(StrEnum):
    """Whether messages may leave by an outlet: all, one that tries it out, or none."""

    OPEN = "open"
    TRYING = "trying"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Stop:
    """That an outlet sends nothing, since when, and what its provider said.

    ``resumed_at`` is set where somebody mended it and no message has tried it out yet.
    """

    outlet: str
    at: datetime
    reason: str
    resumed_at: datetime | None = None


class Stops:
    """The stopped outlets of one ledger. Every method raises LedgerError when it refuses."""

    def __init__(self, alias: str) -> None:
        self._alias = alias

    @ledger_errors()
    def all(self) -> Mapping[str, Stop]:
        """Return what is stopped, by outlet."""
        rows = self._rows().order_by("outlet")
        return {row.outlet: Stop(row.outlet, row.at, row.reason, row.resumed_at) for row in rows}

    def ask(self, outlet: str, at: datetime, *, worker: str, lease: timedelta) -> DoorState:
        """Return how an outlet stands for a worker, who may try it out until the lease ends."""
        if not fetch(self._alias, "outlet_stopped", outlet):
            return DoorState.OPEN  # nearly always, and asked every few messages
        with ledger_transaction(self._alias):
            row = self._rows().select_for_update().filter(outlet=outlet).first()
            if row is None:
                return DoorState.OPEN
            is_others = row.probed_by not in {"", worker}
            is_held = row.probed_until is not None and row.probed_until > at
            if row.resumed_at is None or (is_others and is_held):
                return DoorState.STOPPED
            row.probed_by, row.probed_until = worker, at + lease
            row.save(using=self._alias, update_fields=["probed_by", "probed_until"])
            return DoorState.TRYING

    def stop(self, outlet: str, at: datetime, reason: str) -> bool:
        """Stop an outlet; return whether it was not stopped already.

        One that was resumed and refused again is stopped anew.
        """
        words = ADDRESS.sub(HIDDEN, " ".join(reason.split()))[:LONGEST_REASON]
        fresh = {"at": at, "reason": words, "resumed_at": None, "probed_by": ""}
        with ledger_transaction(self._alias):
            known = self._rows().select_for_update().filter(outlet=outlet)
            if any(row.resumed_at is None for row in known):
                return False
            # Another worker may stop it at this instant, for as good a reason.
            self._rows().bulk_create(
                [models.StoppedOutlet(outlet=outlet, **fresh)], ignore_conflicts=True
            )
            self._rows().filter(outlet=outlet).update(**fresh, probed_until=None)
            AuditLog(self._alias).write(WHO, "stopped", outlet, {"reason": words}, at)
        return True

    def resume(self, outlet: str, at: datetime, *, who: str) -> Stop:
        """Let one message try a stopped outlet out, and the rest if it is taken.

        Raises:
            UsageError: it is not stopped.
        """
        with ledger_transaction(self._alias):
            row = self._rows().select_for_update().filter(outlet=outlet).first()
            if row is None:
                known = ", ".join(self.all()) or "none is"
                raise UsageError(
                    f"the outlet {outlet!r} is not stopped; of those that are: {known}"
                )
            row.resumed_at, row.probed_by, row.probed_until = at, "", None
            row.save(using=self._alias)
            AuditLog(self._alias).write(who, "resumed", outlet, {"reason": row.reason}, at)
        return Stop(outlet, row.at, row.reason, at)

    def open(self, outlet: str, at: datetime, *, worker: str) -> bool:
        """Let everything leave again after the message of this worker was answered."""
        with ledger_transaction(self._alias):
            mine = self._mine(outlet, worker)
            if mine.delete()[0]:
                AuditLog(self._alias).write(WHO, "reopened", outlet, {}, at)
                return True
        return False

    def let_go(self, outlet: str, *, worker: str) -> None:
        """Leave it to whoever comes next to try an outlet out; nothing was learned."""
        with ledger_transaction(self._alias):
            self._mine(outlet, worker).update(probed_by="", probed_until=None)

    def _mine(self, outlet: str, worker: str) -> QuerySet[models.StoppedOutlet]:
        return self._rows().filter(outlet=outlet, probed_by=worker, resumed_at__isnull=False)

    def _rows(self) -> QuerySet[models.StoppedOutlet]:
        return models.StoppedOutlet.objects.using(self._alias)
