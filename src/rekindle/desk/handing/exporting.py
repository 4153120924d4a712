"""Gathers for other tools who is meant: an audience, or a journey's arms. Instants are UTC."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

import pyarrow as pa

from rekindle.desk.counting import find_matching
from rekindle.errors import JourneyError
from rekindle.ledger import MAY_HAVE_LEFT
from rekindle.profiles import FAMILIES
from rekindle.runtime import Workspace

_INSTANT = pa.timestamp("us", "UTC")
ASSIGNMENTS = pa.schema(
    [
        ("customer_id", pa.string()),
        ("journey", pa.string()),
        ("version", pa.int32()),
        ("rotation", pa.int32()),
        ("arm", pa.string()),
        ("entered_at", _INSTANT),
        ("last_order_at", _INSTANT),
        ("first_touch_at", _INSTANT),
        ("messages", pa.int32()),
        ("ended_at", _INSTANT),
        ("ended_reason", pa.string()),
    ]
)


def export_audience(workspace: Workspace, predicate: str, at: datetime) -> pa.Table:
    """Return everyone who matches, with every column of the profile, in order of their ids.

    Raises:
        PredicateError: the predicate is not understood.
    """
    engine, facts = workspace.reading_at(at)
    matching = find_matching(workspace, facts, predicate, at, FAMILIES.names)
    return engine.run(matching.order_by("customer_id"))


def export_assignments(workspace: Workspace, journey: str) -> pa.Table:
    """Return one row for every entry into a journey, with the arm of the person.

    Raises:
        JourneyError: no such journey was ever started here.
    """
    if not workspace.book.versions(journey):
        raise JourneyError(
            f"journey {journey!r} was never started here; `rekindle start {journey}` starts it"
        )
    return pa.Table.from_pylist(_entries(workspace, journey), ASSIGNMENTS)


def _entries(workspace: Workspace, journey: str) -> list[dict[str, Any]]:
    history = workspace.history
    arms = history.assigned(journey)
    messages = Counter(
        (one.person, one.rotation)
        for one in history.messages_of(journey)
        if one.state in MAY_HAVE_LEFT
    )
    return [
        {
            "customer_id": one.person,
            "journey": journey,
            "version": one.version,
            "rotation": one.rotation,
            "arm": arms.get(one.person, one.arm).value,
            "entered_at": one.entered_at,
            "last_order_at": one.last_order_at,
            "first_touch_at": one.first_touch_at,
            "messages": messages[one.person, one.rotation],
            "ended_at": one.ended_at,
            "ended_reason": one.ended_reason.value if one.ended_reason else None,
        }
        for one in history.enrolments_of(journey)
    ]
