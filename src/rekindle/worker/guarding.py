"""Lets the web write to the newest ledger only, and says what keeps it from working.

The worker looks before each pass; what comes in over HTTP must not be kept by an older
copy of the ledger either, where it would be lost with it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from rekindle.clock import stopwatch
from rekindle.errors import RekindleError
from rekindle.ledger import load_last_pass, mend
from rekindle.runtime import Workspace
from rekindle.worker.marking import EVERY_SECONDS, Watermark

LONGEST_PASS = timedelta(minutes=15)


class Guard:
    """Asked before and after whatever comes in is kept; belongs to one thread at a time."""

    def __init__(self, workspace: Workspace) -> None:
        self._mark = Watermark(workspace)
        self._age: Callable[[], float] | None = None

    def require_newest(self) -> None:
        """See that this is the newest ledger, as it was at most a few seconds ago.

        Raises:
            WorkError: it is an older copy, which nobody has accepted.
        """
        if self._age is None or self._age() >= EVERY_SECONDS:
            self._age = None  # what failed is asked again at once
            self._mark.require_newest()
            self._age = stopwatch()

    def note(self) -> None:
        """Set the mark, after something that must not be lost."""
        self._mark.note()

    def note_at_times(self) -> None:
        """Set the mark, at most every few seconds."""
        self._mark.note_at_times()


class Health:
    """Says in a line what keeps a workspace from working, or nothing."""

    def __init__(self, workspace: Workspace, *, every_seconds: float) -> None:
        self._workspace = workspace
        self._since = workspace.clock.now()
        self._longest = LONGEST_PASS + 3 * timedelta(seconds=every_seconds)

    def find_trouble(self) -> str:
        """Return what is wrong with the ledger or the worker; "" if nothing is."""
        try:
            Watermark(self._workspace).require_newest()
            last = load_last_pass(self._workspace.ledger)
        except RekindleError:
            # A connection that failed would fail the next question too.
            mend(self._workspace.ledger)
            return "the ledger is away, or an older copy of itself"
        return self._find_silence(last)

    def _find_silence(self, last: datetime | None) -> str:
        silent = self._workspace.clock.now() - max(last or self._since, self._since)
        if silent <= self._longest:
            return ""
        return f"no pass of a worker for {int(silent / timedelta(minutes=1))} minutes"
