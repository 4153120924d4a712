"""Accesses that are to be restored: noted once, told until the business's system took it.

A note is written with what gave rise to it, so none is lost; whoever tells one holds it for a
while, so that two do not tell it at once. A process that died while it told one leaves it to
the next, which tells it again by the same id.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Min, Q, QuerySet

from rekindle.ledger import intake_models
from rekindle.ledger.queries import ledger_errors, ledger_transaction

LEASE = timedelta(minutes=5)
WAITS = tuple(
    timedelta(seconds=seconds) for seconds in (15, 60, 300, 900, 1800, 3600, 10_800, 21_600)
)
"""How long after each failure it is told again; every six hours from then on, for ever."""


@dataclass(frozen=True, slots=True)
class AccessNote:
    """Whose access is to be restored, and since when it was paid for.

    ``id`` is what the receiver tells repeated ones by; ``because`` is `came_back` or `paid`.
    """

    id: str
    provider: str
    subscription: str
    customer: str
    because: str
    paid_at: datetime
    failures: int = 0


@dataclass(frozen=True, slots=True)
class AccessTimes:
    """How long accesses took from the payment on, and what waits still."""

    seconds: Sequence[float]
    waiting: int
    oldest_at: datetime | None

    def quantile(self, share: float) -> float | None:
        """Return the time in which this share had access (nearest rank); None of nobody."""
        if not self.seconds:
            return None
        rank = -(-len(self.seconds) * int(share * 1000) // 1000)
        return self.seconds[max(rank, 1) - 1]


def find_wait(failures: int, retry_after: timedelta | None) -> timedelta:
    """Return how long to wait after one more failure to tell the business's own system."""
    wait = WAITS[min(failures, len(WAITS) - 1)]
    return min(max(wait, retry_after or wait), WAITS[-1])


class AccessNotes:
    """The notes of one ledger. Every method raises LedgerError when it refuses."""

    def __init__(self, alias: str) -> None:
        self._alias = alias

    @ledger_errors()
    def add(self, notes: Iterable[AccessNote], at: datetime) -> None:
        """Note accesses to be restored, in the caller's transaction; what is there stays."""
        rows = [
            intake_models.AccessNote(
                key=one.id,
                provider=one.provider,
                subscription=one.subscription,
                customer=one.customer,
                because=one.because,
                paid_at=one.paid_at,
                noted_at=at,
                next_at=at,
            )
            for one in notes
        ]
        # The page and the biller's notice tell of the same one at about the same time.
        self._rows.bulk_create(rows, ignore_conflicts=True)

    def claim(self, at: datetime) -> AccessNote | None:
        """Return the oldest that is to be told now, for this process alone for a while."""
        with ledger_transaction(self._alias):
            is_free = Q(claimed_until=None) | Q(claimed_until__lte=at)
            due = self._waiting.select_for_update().filter(is_free, next_at__lte=at)
            row = due.order_by("next_at", "id").first()
            if row is None:
                return None
            self._rows.filter(pk=row.pk).update(claimed_until=at + LEASE)
        about = (row.key, row.provider, row.subscription, row.customer, row.because)
        return AccessNote(*about, row.paid_at, row.failures)

    @ledger_errors()
    def told(self, note: AccessNote, at: datetime) -> None:
        """Write down that the business's system took it."""
        row = self._rows.filter(key=note.id)
        row.update(told_at=at, claimed_until=None, last_error="")

    @ledger_errors()
    def failed(
        self, note: AccessNote, why: str, at: datetime, *, retry_after: timedelta | None
    ) -> None:
        """Write down that it was not taken, and when it is to be told again."""
        self._rows.filter(key=note.id, told_at=None).update(
            failures=F("failures") + 1,
            next_at=at + find_wait(note.failures, retry_after),
            claimed_until=None,
            last_error=why[:300],
        )

    @ledger_errors()
    def times(self, since: datetime) -> AccessTimes:
        """Return how long the accesses told since an instant took, in seconds, and what waits."""
        told = self._rows.filter(told_at__gte=since).values_list("paid_at", "told_at")
        taken = ((end - begin).total_seconds() for begin, end in told if end is not None)
        seconds = sorted(max(one, 0.0) for one in taken)
        oldest = self._waiting.aggregate(first=Min("noted_at"))["first"]
        return AccessTimes(seconds, self._waiting.count(), oldest)

    @property
    def _waiting(self) -> QuerySet[intake_models.AccessNote]:
        return self._rows.filter(told_at=None)

    @property
    def _rows(self) -> QuerySet[intake_models.AccessNote]:
        return intake_models.AccessNote.objects.using(self._alias)
