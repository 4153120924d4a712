"""Retries of ours: each is a row before the biller is asked, so that it is asked once.

Two rows of one invoice never have one number, and the number is in the key the biller gets. A
row without an answer is asked again under the same key, by whoever holds it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from rekindle.ledger import intake_models
from rekindle.ledger.queries import ledger_errors, ledger_transaction

LONGEST = 200
LEASE = timedelta(minutes=5)
ASKED, SKIPPED = "asked", "skipped"


@dataclass(frozen=True, slots=True)
class ChargeEntry:
    """One retry. ``state`` is `asked` while nobody answered, `skipped`, or what came of it.

    ``payment`` is the attempt as the biller numbers it, "" where nobody said. It was made
    between ``asked_at`` and ``heard_at``: when it was answered, or will be asked again.
    """

    id: int
    invoice: str
    number: int
    state: str
    asked_at: datetime
    decline_code: str = ""
    advice_code: str = ""
    network_advice_code: str = ""
    payment: str = ""
    heard_at: datetime | None = None

    @property
    def key(self) -> str:
        """Return the key under which the biller is asked."""
        return f"retry:{self.invoice}:{self.number}"


class Charges:
    """The retries in one ledger. Every method raises LedgerError when it refuses."""

    def __init__(self, alias: str, provider: str) -> None:
        self._alias, self._provider = alias, provider

    @ledger_errors()
    def of_invoices(self, invoices: Collection[str]) -> list[ChargeEntry]:
        """Return the retries of these invoices, in order."""
        found = self._rows.filter(invoice__in=list(invoices)).order_by("invoice", "number")
        return [_entry(row) for row in found]

    def begin(
        self, invoice: str, number: int, at: datetime, *, skipped: str = ""
    ) -> ChargeEntry | None:
        """Write down that a retry is asked for, or why it is not; None where another did."""
        with ledger_transaction(self._alias):
            row, is_mine = self._rows.get_or_create(
                provider=self._provider,
                invoice=invoice,
                number=number,
                defaults={
                    "state": SKIPPED if skipped else ASKED,
                    "asked_at": at,
                    "claimed_until": at + LEASE,
                    "decline_code": skipped,
                },
            )
        # Another process may have written it at the same instant: only one asks.
        return _entry(row) if is_mine else None

    def claim_unanswered(self, at: datetime) -> list[ChargeEntry]:
        """Return retries that nobody answered, for this process alone for a while."""
        with ledger_transaction(self._alias):
            rows = self._rows.select_for_update().filter(Q(claimed_until__lte=at), state=ASKED)
            found = list(rows.order_by("id"))
            self._rows.filter(pk__in=[one.pk for one in found]).update(claimed_until=at + LEASE)
        return [_entry(one) for one in found]

    @ledger_errors()
    def answer(
        self,
        one: ChargeEntry,
        state: str,
        at: datetime,
        codes: tuple[str, str, str] = ("", "", ""),
        *,
        payment: str = "",
    ) -> None:
        """Write down what came of a retry, and as what the biller numbers it."""
        self._rows.filter(pk=one.id, state=ASKED).update(
            state=state,
            answered_at=at,
            decline_code=codes[0],
            advice_code=codes[1],
            network_advice_code=codes[2],
            payment=payment[:LONGEST],
        )

    @property
    def _rows(self) -> QuerySet[intake_models.BillerCharge]:
        return intake_models.BillerCharge.objects.using(self._alias).filter(provider=self._provider)


def _entry(row: intake_models.BillerCharge) -> ChargeEntry:
    return ChargeEntry(
        row.pk,
        row.invoice,
        row.number,
        row.state,
        row.asked_at,
        row.decline_code,
        row.advice_code,
        row.network_advice_code,
        row.payment,
        row.answered_at or row.claimed_until,
    )
