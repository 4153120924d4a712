"""Payments that failed, cleared or are not asked for any more, as events of their people.

They follow from the facts: nobody has to report them. Somebody who owes two invoices is
clear when neither is open, so that a journey about them ends then and not before.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from rekindle.facts import Engine, Facts
from rekindle.journeys import Signal
from rekindle.journeys.language.words import (
    PAYMENT_CLEARED,
    PAYMENT_DROPPED,
    PAYMENT_EVENTS,
    PAYMENT_FAILED,
)
from rekindle.subscriptions import Ending, build_failures
from rekindle.vocabulary import SignalKind

# Beyond what any fact is dated: everything that is known.
LAST = datetime(9999, 1, 1, tzinfo=UTC)
COLUMNS = ("source", "case", "customer_id", "failed_at", "ended_at", "ending")
ENDED = {Ending.CLEARED: PAYMENT_CLEARED, Ending.DROPPED: PAYMENT_DROPPED}


def list_payment_signals(
    engine: Engine,
    facts: Facts,
    events: Collection[str],
    *,
    at: datetime = LAST,
    still_open: bool = False,
) -> list[Signal]:
    """Return these events of payments before ``at``, in order of time.

    What failed while its subscription was cancelled, paused or over is no event: nobody is
    asked for it. With ``still_open``, a failure of somebody who owes nothing any more is none.
    """
    if PAYMENT_EVENTS.isdisjoint(events):
        return []
    table = build_failures(facts, at)
    table = table.filter(table.is_owed & table.customer_id.notnull())
    rows = engine.run(table.select(*COLUMNS).order_by("customer_id", "failed_at", "case"))
    found = []
    for _, cases in groupby(rows.to_pylist(), lambda row: row["customer_id"]):
        for spell in _spells(cases):
            last = _last(spell)
            if last["ended_at"] is not None:
                found.append(_signal(ENDED[Ending(last["ending"])], last, last["ended_at"]))
            if last["ended_at"] is None or not still_open:
                found += [_signal(PAYMENT_FAILED, case, case["failed_at"]) for case in spell]
    asked = (one for one in found if one.name in events)
    return sorted(asked, key=lambda one: (one.at, one.key))


def _spells(cases: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Yield what one person owed at a time: cases of which each begins before all had ended."""
    spell: list[Mapping[str, Any]] = []
    for case in cases:
        until = _last(spell)["ended_at"] if spell else None
        if spell and until is not None and until < case["failed_at"]:
            yield spell
            spell = []
        spell.append(case)
    if spell:
        yield spell


def _last(spell: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the case that ends last; one that runs ends after all."""
    return max(spell, key=lambda case: case["ended_at"] or LAST)


def _signal(event: str, case: Mapping[str, Any], at: datetime) -> Signal:
    key = json.dumps([event, case["source"], case["case"]], ensure_ascii=False)
    return Signal(case["customer_id"], SignalKind.EVENT, at, key, event)
