"""Takes reported events into the ledger: kept, understood and acted on in one transaction.

A report and all it causes (a card, a permission, the end of an enrolment) are written
together or not at all, so a client that saw an error may send the same again.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from rekindle.facts.events import (
    Event,
    EventType,
    order_id_of,
    signal_kind,
)
from rekindle.journeys import Signal
from rekindle.ledger.book import LedgerBook
from rekindle.ledger.bulk import Target, insert_rows, moment_writer
from rekindle.ledger.cards import save_cards
from rekindle.ledger.identity import Links
from rekindle.ledger.queries import (
    Row,
    execute,
    fetch,
    instant_of,
    ledger_transaction,
    rows_of,
    text_of,
)
from rekindle.vocabulary import SignalKind

Owned = tuple[Event, str | None, SignalKind | None]
"""An event, whose it is, and what it is taken for."""

EVENTS = Target(
    "ledger_event",
    (
        ("source", "text"),
        ("message_id", "text"),
        ("type", "text"),
        ("name", "text"),
        ("subject", "text"),
        ("person", "text"),
        ("anonymous_id", "text"),
        ("is_clamped", "bool"),
        ("is_machine", "bool"),
        ("payload", "text"),
        ("at", "timestamptz"),
        ("received_at", "timestamptz"),
    ),
)
ANSWERS = frozenset({SignalKind.OPEN, SignalKind.CLICK})
YOUNG = timedelta(seconds=10)
"""A scanner follows the links of a message within seconds of its arrival; people do not."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch. ``erased`` are the reports about people to be forgotten."""

    accepted: int
    repeated: int
    ended: int
    erased: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Spooled:
    """A report as it is kept. ``person`` is None where nobody knows yet who it was."""

    id: int
    source: str
    message_id: str
    type: EventType
    name: str
    subject: str
    person: str | None
    at: datetime
    is_machine: bool
    payload: Mapping[str, Any]


class Inbox:
    """The reports in one ledger. Every method raises LedgerError when it refuses."""

    def __init__(self, alias: str, book: LedgerBook) -> None:
        self._alias = alias
        self._book = book

    def take(self, source: str, events: Sequence[Event], at: datetime) -> Taken:
        """Keep new reports of a source and do what they call for, all of it or nothing."""
        unique = {event.message_id: event for event in reversed(events)}
        ordered = [event for event in events if unique[event.message_id] is event]
        with ledger_transaction(self._alias):
            links = Links.load(self._alias, ordered)
            owned = [(event, links.person_of(event), signal_kind(event)) for event in ordered]
            kept = self._mark_young([one for one in owned if one[1] not in links.erased])
            new = self._keep(source, kept, at)
            fresh = [one for one in kept if one[0].message_id in new]
            links.save(self._alias, at)
            save_cards(self._alias, self._book, _identified(fresh), source=source)
            ended = self._signal(source, fresh, at)
        erased = {event.message_id for event, who, _ in owned if who in links.erased}
        repeated = len(events) - len(fresh) - sum(e.message_id in erased for e in events)
        return Taken(len(events) - len(erased), repeated, ended, frozenset(erased))

    def link(self, pairs: Iterable[tuple[str, str]], at: datetime) -> None:
        """Let each first id stand for the second, as the facts say they are one person."""
        with ledger_transaction(self._alias):
            links = Links.of(self._alias, [one for pair in pairs for one in pair])
            for other, person in pairs:
                links.join(other, person)
            links.save(self._alias, at)

    def spooled(self, *, after: int = 0, limit: int) -> list[Spooled]:
        """Return reports whose facts have not reached the lake, oldest first."""
        return [_spooled(row) for row in fetch(self._alias, "spooled_events", after, limit)]

    def of_orders(self, source: str, orders: Iterable[str]) -> list[Spooled]:
        """Return everything reported about these orders, in the order it happened."""
        rows = rows_of((order,) for order in sorted(set(orders)))
        return [_spooled(row) for row in fetch(self._alias, "events_of_orders", source, rows)]

    def mark_exported(self, reports: Iterable[Spooled], at: datetime) -> None:
        """Take reports out of the spool, once the lake shows their facts."""
        rows = rows_of((report.id,) for report in reports)
        with ledger_transaction(self._alias):
            execute(self._alias, "mark_exported", text_of(at), rows)

    def _mark_young(self, kept: list[Owned]) -> list[Owned]:
        """Mark opens and clicks that came too soon to be a person's."""
        people = {who for _, who, kind in kept if who and kind in ANSWERS}
        if not people:
            return kept
        rows = fetch(self._alias, "newest_accepted_of", rows_of((p,) for p in sorted(people)))
        accepted = {person: instant_of(text) for person, text in rows}
        marked: list[Owned] = []
        for event, who, kind in kept:
            age = event.at - accepted[who] if who in accepted and kind in ANSWERS else None
            if age is not None and timedelta() <= age < YOUNG:
                marked.append((replace(event, is_machine=True), who, None))
            else:
                marked.append((event, who, kind))
        return marked

    def _keep(self, source: str, kept: Iterable[Owned], at: datetime) -> set[str]:
        """Keep the reports that are new; return their ids.

        If another transaction keeps one of them at this very moment, the database refuses
        the later batch whole; sent again, it finds what is there.
        """
        found = {event.message_id: (event, who) for event, who, _ in kept}
        # In one order everywhere: two transactions that insert the same rows wait, not lock.
        ids = rows_of((id_,) for id_ in sorted(found))
        for (id_,) in fetch(self._alias, "known_events", source, ids):
            del found[id_]
        moment = moment_writer(self._alias)
        received_at = moment(at)
        rows = [
            (source, *_row(*found[id_]), moment(found[id_][0].at), received_at)
            for id_ in sorted(found)
        ]
        insert_rows(self._alias, EVENTS, rows)
        return set(found)

    def _signal(self, source: str, fresh: Iterable[Owned], at: datetime) -> int:
        felt = [(event, who, kind) for event, who, kind in fresh if who and kind]
        if not felt:
            return 0
        relatives = self._relatives(who for _, who, _ in felt)
        signals = [
            _signal(source, event, person, kind)
            for event, who, kind in felt
            for person in (who, *relatives.get(who, ()))
        ]
        return self._book.record(signals, at)

    def _relatives(self, people: Iterable[str]) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        batch = rows_of((person,) for person in sorted(set(people)))
        for person, other in fetch(self._alias, "relatives_of", batch):
            found[person].append(other)
        return found


def _identified(fresh: Iterable[Owned]) -> list[tuple[str, Event]]:
    told = [(who, event) for event, who, _ in fresh if who and event.type is EventType.IDENTIFY]
    return sorted(told, key=lambda one: one[1].at)


def _row(event: Event, who: str | None) -> Row:
    return (
        event.message_id,
        event.type.value,
        event.name,
        order_id_of(event.name, event.content),
        who,
        event.anonymous_id,
        event.is_clamped,
        event.is_machine,
        event.payload,
    )


def _signal(source: str, event: Event, person: str, kind: SignalKind) -> Signal:
    """Return the signal; a purchase goes by its order, as the one an import brings."""
    if kind is SignalKind.ORDER:
        key = f"order:{source}:{order_id_of(event.name, event.content)}:{person}"
    else:
        key = f"event:{source}:{event.message_id}:{person}"
    name = event.name if kind is SignalKind.EVENT else ""
    return Signal(person, kind, event.at, key, name)


def _spooled(row: Row) -> Spooled:
    number, source, message_id, type_, name, subject, person, at, is_machine, payload = row
    return Spooled(
        id=number,
        source=source,
        message_id=message_id,
        type=EventType(type_),
        name=name,
        subject=subject,
        person=person,
        at=instant_of(at),
        is_machine=bool(is_machine),
        payload=json.loads(payload),
    )
