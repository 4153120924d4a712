"""The figures of one workspace, for whoever watches it from outside."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from rekindle.channels import discover
from rekindle.ledger import (
    Stops,
    Waiting,
    load_counts,
    load_last_import,
    load_last_pass,
    tally_messages,
)
from rekindle.runtime import Workspace
from rekindle.worker.taking import LedgerIntake, mending


class LedgerFigures:
    """Read from the ledger, where all workers count; what came in here, from the intake."""

    def __init__(self, workspace: Workspace, intake: LedgerIntake) -> None:
        self._workspace, self._intake = workspace, intake

    def now(self) -> datetime:
        """Return the present instant, UTC-aware."""
        return self._workspace.clock.now()

    def counts(self) -> Mapping[tuple[str, ...], int]:
        """Return each counter by its family and labels."""
        with mending(self._workspace.ledger):
            found = dict(load_counts(self._workspace.ledger))
        for source, number in self._intake.taken.items():
            found["reports", source] = number
        return found

    def waiting(self) -> Waiting:
        """Return what waits to leave."""
        with mending(self._workspace.ledger):
            return tally_messages(self._workspace.ledger, self.now())

    def stopped(self) -> Mapping[str, bool]:
        """Return of each outlet in use whether it is stopped."""
        with mending(self._workspace.ledger):
            stops = Stops(self._workspace.ledger).all()
        channels = self._workspace.config.channel
        used = [channels(folder.channel).outlet for folder in discover().values()]
        return {outlet: outlet in stops for outlet in used}

    def passed_at(self) -> datetime | None:
        """Return when a worker last came through."""
        with mending(self._workspace.ledger):
            return load_last_pass(self._workspace.ledger)

    def imported_at(self) -> datetime | None:
        """Return when the facts were imported that a pass last looked at."""
        with mending(self._workspace.ledger):
            return load_last_import(self._workspace.ledger)
