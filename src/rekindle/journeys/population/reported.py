"""Reads what people did beside buying from the facts, under the names journeys know.

The same events that arrive one by one through the API stand in the facts after the next
import; a replay and a plan read them there.
"""

from __future__ import annotations

from collections.abc import Collection

from rekindle.facts import Engine, Facts
from rekindle.intake import kind_of
from rekindle.journeys import Signal
from rekindle.journeys.population.payments import list_payment_signals
from rekindle.vocabulary import STOPS, SignalKind
from rekindle.wording import event_name

# Purchases come from the orders; what ends everything is not part of a history of facts.
BEHAVIOUR = frozenset(SignalKind) - STOPS - {SignalKind.ORDER, SignalKind.EVENT}


def list_signals(engine: Engine, facts: Facts, events: Collection[str]) -> list[Signal]:
    """Return what people did, of these events, in order of time, as signals."""
    found = _list_reported(engine, facts, events)
    found += list_payment_signals(engine, facts, events)
    return sorted(found, key=lambda one: (one.at, one.key))


def _list_reported(engine: Engine, facts: Facts, events: Collection[str]) -> list[Signal]:
    table = facts.events
    names = engine.run(table.select("event").distinct()).column(0).to_pylist()
    kinds = {name: _kind_of(name) for name in names}
    asked = [name for name, kind in kinds.items() if kind is not None and kind[1] in events]
    if not asked:
        return []
    table = table.filter(table.event.isin(asked))
    key = table.source + ":" + table.event_id
    rows = engine.run(
        table.select("customer_id", "event", "occurred_at", key=key).order_by("occurred_at", "key")
    )
    found = []
    for row in rows.to_pylist():
        kind, name = kinds[row["event"]] or (SignalKind.EVENT, "")
        key = f"event:{row['key']}"
        found.append(Signal(row["customer_id"], kind, row["occurred_at"], key, name))
    return found


def _kind_of(written: str) -> tuple[SignalKind, str] | None:
    """Return what an event in the facts is, with the name journeys know it by."""
    name = event_name(written)
    if name in BEHAVIOUR:
        return SignalKind(name), name
    kind = kind_of(name, {})
    if kind is SignalKind.EVENT:
        return kind, name
    return (kind, kind.value) if kind in BEHAVIOUR else None
