"""Throttles that outlive a restart and are shared by every worker.

A meter is one row, locked while it is read and changed. No clock that is set back and no
second worker can draw more from it than it holds.
"""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import QuerySet

from rekindle.ledger import models
from rekindle.ledger.queries import ledger_transaction

BURST_SECONDS = 5
"""A throttle that stood still grants at once what it would in so many seconds."""


class Meters:
    """The meters of one ledger, by name. Every method raises LedgerError when it refuses."""

    def __init__(self, alias: str) -> None:
        self._alias = alias

    def take(self, name: str, count: int, at: datetime, *, per_minute: int) -> int:
        """Return how many of ``count`` are granted by a token bucket.

        It fills by ``per_minute`` and holds what it gains in ``BURST_SECONDS``, at least
        one; a new one is full.
        """
        holds = burst(per_minute)
        with ledger_transaction(self._alias):
            meter = self._lock(name, at, tokens=holds)
            gained = max((at - meter.at).total_seconds(), 0) * per_minute / 60
            tokens = min(meter.tokens + gained, holds)
            granted = min(count, int(tokens))
            meter.tokens, meter.at = tokens - granted, max(meter.at, at)
            meter.save(using=self._alias, update_fields=["tokens", "at"])
            return granted

    def give_back(self, name: str, count: int) -> None:
        """Put back what was granted by ``take`` and not used."""
        self._change(name, tokens=float(count))

    def take_of_day(self, name: str, count: int, day: date, at: datetime, *, limit: int) -> int:
        """Return how many of ``count`` are granted out of ``limit`` on ``day``.

        A day before the latest one seen counts as that one.
        """
        with ledger_transaction(self._alias):
            meter = self._lock(name, at, tokens=0)
            if day.isoformat() > meter.window:
                meter.window, meter.used = day.isoformat(), 0
            granted = max(min(count, limit - meter.used), 0)
            meter.used, meter.at = meter.used + granted, max(meter.at, at)
            meter.save(using=self._alias, update_fields=["window", "used", "at"])
            return granted

    def give_back_of_day(self, name: str, count: int, day: date) -> None:
        """Put back what was granted by ``take_of_day`` on ``day`` and not used."""
        self._change(name, used=-count, day=day)

    def _change(
        self, name: str, *, tokens: float = 0, used: int = 0, day: date | None = None
    ) -> None:
        with ledger_transaction(self._alias):
            meter = self._rows().select_for_update().filter(pk=name).first()
            if meter is None or (day is not None and meter.window != day.isoformat()):
                return
            meter.tokens, meter.used = meter.tokens + tokens, max(meter.used + used, 0)
            meter.save(using=self._alias, update_fields=["tokens", "used"])

    def _lock(self, name: str, at: datetime, *, tokens: float) -> models.Meter:
        self._rows().bulk_create(
            [models.Meter(name=name, tokens=tokens, at=at, window="", used=0)],
            ignore_conflicts=True,
        )
        meter: models.Meter = self._rows().select_for_update().get(pk=name)
        return meter

    def _rows(self) -> QuerySet[models.Meter]:
        return models.Meter.objects.using(self._alias)


def burst(per_minute: int) -> float:
    """Return how much a throttle holds at most."""
    return max(1.0, per_minute / 60 * BURST_SECONDS)
