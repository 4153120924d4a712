"""What a customer may do for themselves: today, leave the list."""

from __future__ import annotations

import logging

from rekindle.journeys import Signal
from rekindle.runtime import Workspace
from rekindle.vocabulary import Channel, SignalKind

logger = logging.getLogger(__name__)


class LedgerOptOuts:
    """Takes people off the list in the ledger of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def shop_name(self) -> str:
        """Return the name people know the business by."""
        return self._workspace.config.workspace.name

    def unsubscribe(self, person: str, list_id: str, *, at_source: str, channel: str = "") -> None:
        """Record the opt-out; it ends the person's journeys in the same transaction.

        It stops marketing by ``channel``, or by every one where that is empty.
        """
        now = self._workspace.clock.now()
        # By the instant: whoever agreed again in between and leaves again says something new.
        key = f"opt_out:{channel or list_id}:{person}:{now.isoformat()}"
        where = Channel(channel) if channel else None
        signal = Signal(person, SignalKind.OPT_OUT, now, key, channel=where)
        self._workspace.book.record([signal], now)
        logger.info("an unsubscribe was recorded (%s)", at_source)
