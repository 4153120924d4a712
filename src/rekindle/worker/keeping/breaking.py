"""Pauses journeys whose messages do harm; their owners resume them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from rekindle.journeys import Trip, decide_trip
from rekindle.ledger import ledger_transaction, load_windows
from rekindle.runtime import Workspace

WHO = "rekindle"


def break_circuits(workspace: Workspace, at: datetime) -> Mapping[str, Trip]:
    """Pause the journeys whose breaker trips at ``at``; return why, by journey.

    The pause and its entry in the audit log are one transaction.
    """
    settings = workspace.config.breaker
    windows = load_windows(workspace.ledger, at, settings.window)
    trips: dict[str, Trip] = {}
    for journey, (newer, older) in sorted(windows.items()):
        trip = decide_trip(newer, older, settings)
        if trip is None:
            continue
        with ledger_transaction(workspace.ledger):
            workspace.book.pause(journey, at)
            workspace.audit_log.write(WHO, "paused", journey, asdict(trip), at)
        trips[journey] = trip
    return trips
