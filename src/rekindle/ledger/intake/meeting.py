"""Finds who identified themselves by an address or number that is on another person's card."""

from __future__ import annotations

from rekindle.ledger.queries import fetch


def find_meetings(alias: str, *, after: int) -> tuple[int, frozenset[tuple[str, str]]]:
    """Return the newest event's number, and who meets whom by what still waits for the lake.

    Only events with greater numbers than ``after`` are looked at, and none of a page's key:
    what a page says is no evidence.
    """
    ((newest,),) = fetch(alias, "newest_event")
    rows = fetch(alias, "identified_alike", after)
    return newest, frozenset((person, other) for person, *met in rows for other in met if other)
