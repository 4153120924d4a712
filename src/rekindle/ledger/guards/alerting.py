"""What the team was told of, so that each cause is told once, and that it is over.

A cause is named by whoever finds it, like ``outlet:sms_twilio``. What is to be told is claimed
for a while, by one worker; it counts as told when a server took it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from rekindle.ledger import models as ledger_models
from rekindle.ledger.guards import models
from rekindle.ledger.queries import ledger_errors, ledger_transaction

LONGEST_CAUSE = 300


@dataclass(frozen=True, slots=True)
class Alert:
    """Something to tell the team: what began, is over, or happened once."""

    cause: str
    words: str
    at: datetime
    is_over: bool = False


class Alerts:
    """The alerts of one ledger. Every method raises LedgerError when it refuses."""

    def __init__(self, alias: str) -> None:
        self._alias = alias

    def settle(self, problems: Mapping[str, str], at: datetime) -> None:
        """Write down what stands wrong now, in words by cause; what is missing is over."""
        with ledger_transaction(self._alias):
            known = {row.cause: row for row in self._rows().filter(is_event=False)}
            self._begin({k: v for k, v in problems.items() if k not in known}, at, is_event=False)
            here = [one.cause for one in known.values() if one.cause in problems]
            # It was away for a moment and nobody was told so: it has never been over.
            self._rows().filter(cause__in=here).update(over_at=None)
            gone = self._rows().filter(cause__in=known.keys() - problems.keys())
            gone.filter(told_at=None, claimed_until=None).delete()
            gone.filter(over_at=None).update(over_at=at)

    def note(self, cause: str, words: str, at: datetime) -> None:
        """Write down what happened once; a cause that waits to be told is kept as it is."""
        with ledger_transaction(self._alias):
            self._begin({cause: words}, at, is_event=True)

    def claim(self, at: datetime, lease: timedelta) -> Sequence[Alert]:
        """Return what is to be told now, for this worker alone until the lease ends."""
        with ledger_transaction(self._alias):
            is_free = Q(claimed_until=None) | Q(claimed_until__lte=at)
            is_news = Q(told_at=None) | Q(over_at__isnull=False)
            rows = list(self._rows().select_for_update().filter(is_free, is_news).order_by("id"))
            mine = self._rows().filter(pk__in=[row.pk for row in rows])
            mine.update(claimed_until=at + lease)
        return [Alert(row.cause, row.words, row.at, _is_over(row)) for row in rows]

    def told(self, alerts: Collection[Alert], at: datetime) -> None:
        """Write down that a server took these."""
        over = [one.cause for one in alerts if one.is_over]
        begun = [one.cause for one in alerts if not one.is_over]
        with ledger_transaction(self._alias):
            self._rows().filter(cause__in=over, over_at__isnull=False).delete()
            rows = self._rows().filter(cause__in=begun)
            rows.filter(is_event=True).delete()
            rows.update(told_at=at, claimed_until=None)
            # What came back while it was told to be over has to be told again.
            self._rows().filter(cause__in=over).update(told_at=None, claimed_until=None)

    def _begin(self, words: Mapping[str, str], at: datetime, *, is_event: bool) -> None:
        rows = [
            models.Alert(cause=cause[:LONGEST_CAUSE], words=text, at=at, is_event=is_event)
            for cause, text in sorted(words.items())
        ]
        # Another worker may find the same at this instant.
        self._rows().bulk_create(rows, ignore_conflicts=True)

    def _rows(self) -> QuerySet[models.Alert]:
        return models.Alert.objects.using(self._alias)


@ledger_errors()
def paused_journeys(alias: str) -> Sequence[str]:
    """Return the journeys that are paused, by name."""
    rows = ledger_models.Journey.objects.using(alias)
    paused = rows.filter(state=ledger_models.JourneyState.PAUSED)
    return list(paused.order_by("name").values_list("name", flat=True))


@ledger_errors()
def reserved_micros(alias: str, month: str) -> Mapping[str, int]:
    """Return what is spent or spoken for of each budget in a month, in micros."""
    rows = ledger_models.Budget.objects.using(alias).filter(month=month)
    return dict(rows.values_list("name", "reserved_micros"))


def _is_over(row: models.Alert) -> bool:
    return row.told_at is not None and row.over_at is not None
