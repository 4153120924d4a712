"""What a biller's notices said: kept once, acted on at once, and a spool for the next import.

A notice is kept together with what it ends, in one transaction. It stays for a while after the
lake had it: by it a repeated one is known, and so is one that comes late.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, Q, QuerySet

from rekindle.journeys import Signal
from rekindle.ledger import intake_models, models
from rekindle.ledger.book import LedgerBook
from rekindle.ledger.book.persons import find_persons
from rekindle.ledger.intake.identity import BatchLinks
from rekindle.ledger.outbox.access import AccessNote, AccessNotes
from rekindle.ledger.queries import ledger_errors, ledger_transaction
from rekindle.ledger.versions import Versions
from rekindle.vocabulary import Reason

# Longer than any provider sends again (Stripe: three days), and than a listing takes.
KEPT_FOR = timedelta(days=30)
SLICE = 20_000
"""KeptNotices that become facts at a time: enough to be quick, few enough to fit in memory."""


@dataclass(frozen=True, slots=True)
class HeardNotice:
    """A notice as it is kept. ``statements`` are lines of JSON, "" where it says nothing."""

    provider: str
    event: str
    kind: str
    thing: str
    customer: str
    at: datetime
    statements: str


class KeptNotices:
    """The notices in one ledger. Every method raises LedgerError when it refuses."""

    def __init__(self, alias: str, book: LedgerBook) -> None:
        self._alias, self._book, self._versions = alias, book, Versions(alias)

    @ledger_errors()
    def is_known(self, provider: str, event: str) -> bool:
        """Return whether an event was taken before."""
        return self._rows.filter(provider=provider, event=event).exists()

    @ledger_errors()
    def newest_of(self, provider: str, thing: str) -> datetime | None:
        """Return the instant of the newest that was heard of a thing, None for nothing."""
        rows = self._rows.filter(provider=provider, thing=thing)
        found: datetime | None = rows.aggregate(newest=Max("at"))["newest"]
        return found

    @ledger_errors()
    def awaited(self, customer: str) -> frozenset[str]:
        """Return the events that would end what somebody is in, or what is still to reach them."""
        person = find_persons(self._alias, [customer])[customer]
        rows = models.Enrolment.objects.using(self._alias).filter(
            Q(ended_at=None) | Q(ended_reason=Reason.FINISHED.value), person=person
        )
        found: set[str] = set()
        for journey, version in rows.values_list("journey", "version").distinct():
            found |= self._versions.find(journey, version).journey.exits
        return frozenset(found)

    def take(
        self,
        notice: HeardNotice,
        signals: Sequence[Signal],
        at: datetime,
        *,
        accesses: Sequence[AccessNote] = (),
    ) -> bool:
        """Keep a notice and all it gives rise to, or nothing; return whether it was new.

        Of who asked to be forgotten that it came is kept, and nothing of what it said.
        """
        with ledger_transaction(self._alias):
            if self.is_known(notice.provider, notice.event):
                return False
            is_erased = bool(BatchLinks.of(self._alias, [notice.customer]).erased)
            said = "" if is_erased else notice.statements
            self._rows.create(
                provider=notice.provider,
                event=notice.event,
                kind=notice.kind,
                thing=notice.thing,
                customer=notice.customer,
                at=notice.at,
                received_at=at,
                statements=said,
                folded_at=None if said else at,
            )
            if signals and not is_erased:
                self._book.record(signals, at)
            AccessNotes(self._alias).add(accesses, at)
        return True

    @ledger_errors()
    def waiting(self, provider: str) -> list[tuple[int, str]]:
        """Return what has not reached the lake, by number, in the order of its instants."""
        rows = self._rows.filter(provider=provider, folded_at=None).order_by("at", "id")
        return list(rows.values_list("id", "statements")[:SLICE])

    @ledger_errors()
    def said_since(self, provider: str, since: datetime) -> Iterator[Mapping[str, Any]]:
        """Yield what was said since an instant, in order, also what the lake has."""
        rows = self._rows.filter(provider=provider, at__gte=since).order_by("at", "id")
        for statements in rows.values_list("statements", flat=True).iterator():
            yield from lines_of(statements)

    @ledger_errors()
    def mark_folded(self, numbers: Iterable[int], at: datetime) -> None:
        """Take notices out of the spool, and let go of those that were kept long enough."""
        with ledger_transaction(self._alias):
            self._rows.filter(pk__in=list(numbers)).update(folded_at=at)
            self._rows.filter(folded_at__lt=at - KEPT_FOR).delete()

    @property
    def _rows(self) -> QuerySet[intake_models.BillerNotice]:
        return intake_models.BillerNotice.objects.using(self._alias)


def lines_of(statements: str) -> Iterator[Mapping[str, Any]]:
    """Yield the statements of a notice as JSON holds them."""
    for line in statements.splitlines():
        yield json.loads(line)


@ledger_errors()
def load_last_notice(alias: str, provider: str) -> datetime | None:
    """Return when the last notice of a biller came, None where none did."""
    rows = intake_models.BillerNotice.objects.using(alias).filter(provider=provider)
    found: datetime | None = rows.aggregate(newest=Max("received_at"))["newest"]
    return found
