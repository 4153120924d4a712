"""Watches the facts for people who came back, and tells the ledger.

Runs before anything is decided or sent, so that a purchase that was imported a moment
ago ends the enrolment in the transaction that records it.
"""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa

from rekindle.journeys import Signal
from rekindle.runtime.workspace import Workspace
from rekindle.vocabulary import SignalKind

WATCHED = pa.schema([("person", pa.string()), ("since", pa.timestamp("us", tz="UTC"))])


def observe_returns(workspace: Workspace, at: datetime) -> int:
    """Record purchases newer than what was known at entry; return how many ended.

    Only purchases before ``at`` are seen, so a tick on a past date does not peek ahead.
    """
    watched: dict[str, datetime] = {}
    for one in (*workspace.book.open_enrolments(), *workspace.outbox.unsent_enrolments()):
        since = one.last_order_at or one.entered_at
        watched[one.person] = min(since, watched.get(one.person, since))
    if not watched:
        return 0
    signals = _returns(workspace, watched, at)
    return workspace.book.record(signals, at) if signals else 0


def _returns(workspace: Workspace, watched: dict[str, datetime], at: datetime) -> list[Signal]:
    rows = pa.table({"person": list(watched), "since": list(watched.values())}, schema=WATCHED)
    people = workspace.engine.bring("watched", rows)
    orders = workspace.facts.cut(at).orders
    orders = orders.filter(orders.kind == "purchase")
    newer = orders.inner_join(
        people, [orders.customer_id == people.person, orders.ordered_at > people.since]
    ).select("person", "ordered_at", "source", "order_id")
    return [
        Signal(
            row["person"],
            SignalKind.ORDER,
            row["ordered_at"],
            key=f"order:{row['source']}:{row['order_id']}",
        )
        for row in newer.order_by("ordered_at", "order_id").to_pyarrow().to_pylist()
    ]
