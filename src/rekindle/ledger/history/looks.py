"""On which days somebody looked at a journey's figures: each costs its interval a little."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from rekindle.ledger.queries import execute, fetch, instant_of, ledger_transaction, rows_of, text_of


class Looks:
    """The looks at the journeys of one ledger."""

    def __init__(self, alias: str) -> None:
        self._alias = alias

    def note(self, journey: str, on: date, at: datetime) -> None:
        """Remember a look; the second one of a day changes nothing."""
        with ledger_transaction(self._alias):
            execute(self._alias, "note_look", rows_of([(journey, on.isoformat(), text_of(at))]))

    def before(self, journey: str, on: date) -> Sequence[datetime]:
        """Return when a journey's figures were looked at on earlier days, oldest first."""
        return [instant_of(at) for (at,) in fetch(self._alias, "looks", journey, on.isoformat())]
