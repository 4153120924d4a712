"""Brings what a biller's notices said into the lake, between its listings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rekindle.billing import take_notices
from rekindle.facts import FileImport
from rekindle.ledger import KeptNotices, lines_of
from rekindle.runtime import Workspace


def bring_notices(workspace: Workspace) -> list[FileImport]:
    """Import what notices said so far; return what each table gave.

    Killed at any moment, the next one does the same again, which is there once.

    Raises:
        BusyError: a listing, or another import, is running.
    """
    settings, found = workspace.config.billing, list[FileImport]()
    if not settings.provider or not workspace.has_ledger:
        return found
    notices = KeptNotices(workspace.ledger, workspace.book)
    while waiting := notices.waiting(settings.provider):
        lines = [line for _, said in waiting for line in lines_of(said)]
        base, bring = workspace.directory, workspace.import_from
        found += take_notices(settings, base, lines, bring=bring)
        notices.mark_folded((number for number, _ in waiting), workspace.clock.now())
    return found


def heard_since(workspace: Workspace, since: datetime) -> Iterable[Mapping[str, Any]]:
    """Return what notices said since an instant, for a listing that may be older."""
    if not workspace.has_ledger:
        return ()
    notices = KeptNotices(workspace.ledger, workspace.book)
    return notices.said_since(workspace.config.billing.provider, since)
