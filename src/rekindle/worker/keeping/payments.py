"""Tells the ledger of payments that failed, cleared or are not asked for any more.

Runs before anything is decided or sent, so that a payment that came in with the last import
ends the journey about it before another word leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from rekindle.journeys import events_asked
from rekindle.journeys.population import PAYMENT_EVENTS, list_payment_signals
from rekindle.runtime import Workspace
from rekindle.worker.watching import FactsRead

# Nobody is let in by what happened longer ago, and whatever ends later ended something else.
LOOKS_BACK = timedelta(days=400)


class PaymentWatch:
    """Observes payments for one worker, where a running journey asks about them.

    What was looked at lives as long as the process, as returns do. A look is due again when
    the facts changed, when an hour has passed (a pause or an end may have been dated ahead) and
    when the clock went back.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._seen: tuple[str, frozenset[str], datetime] | None = None

    def look(self, at: datetime, read: FactsRead) -> int:
        """Record what became of payments before ``at``; return how many enrolments ended.

        ``read`` is of before the workspace's reading.
        """
        space = self._workspace
        events = PAYMENT_EVENTS.intersection(self._asked())
        state = (read.every, events, at.replace(minute=0, second=0, microsecond=0))
        if not events or state == self._seen:
            return 0
        engine, facts = space.reading
        found = list_payment_signals(engine, facts, events, at=at, still_open=True)
        signals = [one for one in found if one.at > at - LOOKS_BACK]
        ended = space.book.record(signals, at) if signals else 0
        self._seen = state
        return ended

    def _asked(self) -> Iterator[str]:
        """Yield what running journeys ask about, and those versions of them that run out."""
        book = self._workspace.book
        for newest in book.running():
            for version in book.versions(newest.journey.name):
                yield from events_asked(version.journey, self._workspace.offers)
