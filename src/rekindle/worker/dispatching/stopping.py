"""Stops an outlet whose provider refuses because of something we have to mend.

Every worker knows of it by the ledger, after a restart too. What waits stays in the queue;
after `rekindle outbox resume` one message tries the outlet out before the others leave.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from rekindle.ledger import DoorState, Stops
from rekindle.worker.dispatching.handing import Fate, Handed

# So long one worker is alone in trying an outlet out.
TRIES_FOR = timedelta(minutes=5)
# What a provider says only to whom it lets in.
ANSWERED = frozenset({Fate.ACCEPTED, Fate.BOUNCED, Fate.REFUSED})
ASKED = frozenset(Fate) - {Fate.NOT_TRIED, Fate.MALFORMED}

logger = logging.getLogger(__name__)


class Door(Protocol):
    """Says whether messages may leave by an outlet, and hears what became of them."""

    @property
    def is_shut(self) -> bool:
        """Return whether nothing more may leave in this pass."""

    @property
    def why(self) -> str:
        """Return why nothing leaves, "" where messages do."""

    def ask(self, at: datetime) -> DoorState:
        """Return how the outlet stands now."""

    def hear(self, results: Sequence[Handed], at: datetime) -> None:
        """Shut the outlet or open it again, by what became of messages."""

    def leave(self) -> None:
        """End the pass: let others try the outlet out."""


class OpenDoor:
    """A door that is open, whatever becomes of messages."""

    is_shut = False
    why = ""

    def ask(self, at: datetime) -> DoorState:
        """Return that everything may leave."""
        return DoorState.OPEN

    def hear(self, results: Sequence[Handed], at: datetime) -> None:
        """Do nothing."""

    def leave(self) -> None:
        """Do nothing."""


class LedgerDoor:
    """The door of one outlet, which the ledger remembers for all workers."""

    def __init__(self, stops: Stops, outlet: str, *, worker: str) -> None:
        self._stops, self._outlet, self._worker = stops, outlet, worker
        self._standing = DoorState.OPEN
        self._is_undecided = False

    @property
    def is_shut(self) -> bool:
        """Return whether it is stopped, or the message that tried it out told nothing."""
        return self._is_undecided or self._standing is DoorState.STOPPED

    @property
    def why(self) -> str:
        """Return why it is stopped, and what to do."""
        is_stopped = self._standing is DoorState.STOPPED
        stop = self._stops.all().get(self._outlet) if is_stopped else None
        if stop is None:
            return ""
        if stop.resumed_at is not None:
            return f"another worker tries out whether {self._outlet} sends again"
        remedy = f"mend it, then `rekindle outbox resume {self._outlet}`"
        return f"{self._outlet} is stopped: {stop.reason}; {remedy}"

    def ask(self, at: datetime) -> DoorState:
        """Return how the outlet stands now, for this worker."""
        self._standing = self._stops.ask(self._outlet, at, worker=self._worker, lease=TRIES_FOR)
        return self._standing

    def hear(self, results: Sequence[Handed], at: datetime) -> None:
        """Stop the outlet where its provider refuses us; open it where one was let in."""
        fault = next((one for one in results if one.fate is Fate.FAULT), None)
        if fault is not None:
            self._standing = DoorState.STOPPED
            if self._stops.stop(self._outlet, at, fault.word):
                logger.error("%s is stopped: %s", self._outlet, fault.word)
        elif self._standing is DoorState.TRYING:
            fates = {one.fate for one in results}
            if fates & ANSWERED and self._stops.open(self._outlet, at, worker=self._worker):
                self._standing = DoorState.OPEN
                logger.warning("%s sends again", self._outlet)
            self._is_undecided |= bool(fates & ASKED) and not fates & ANSWERED

    def leave(self) -> None:
        """Let another worker, or the next pass, try the outlet out."""
        if self._standing is DoorState.TRYING:
            self._stops.let_go(self._outlet, worker=self._worker)
