"""Watches the facts for people who came back, and tells the ledger.

Runs before anything is decided or sent, so that a purchase that was imported a moment
ago ends the enrolment in the transaction that records it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.facts import Engine, Facts
from rekindle.journeys import Signal
from rekindle.runtime import Workspace
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
    engine, facts = workspace.reading
    people = _with_buyers(engine, facts, watched)
    orders = facts.cut(at).orders
    orders = orders.filter(orders.kind == "purchase")
    newer = orders.inner_join(
        people, [orders.customer_id == people.buyer, orders.ordered_at > people.since]
    ).select("person", "ordered_at", "source", "order_id")
    rows = engine.run(newer.order_by("ordered_at", "source", "order_id", "person")).to_pylist()
    return [
        Signal(row["person"], SignalKind.ORDER, row["ordered_at"], key=_key(row)) for row in rows
    ]


def _with_buyers(engine: Engine, facts: Facts, watched: dict[str, datetime]) -> ir.Table:
    """Return ``person`` and ``since`` with ``buyer``, the id their purchases go by today.

    Two ids may be found to be one person after both had entered; then a purchase by
    either is a return of both.
    """
    rows = pa.table({"person": list(watched), "since": list(watched.values())}, schema=WATCHED)
    people = engine.bring("watched", rows)
    known = (facts.bookkeeping or {}).get("identities")
    if known is None:
        return people.mutate(buyer=people.person)
    found = people.left_join(known, people.person == known.customer_id)
    return found.select("person", "since", buyer=ibis.coalesce(found.person_id, found.person))


def _key(row: dict[str, Any]) -> str:
    return f"order:{row['source']}:{row['order_id']}:{row['person']}"
