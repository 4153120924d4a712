"""Takes reported events into the ledger: kept, understood and acted on in one transaction.

A report and all it causes (a card, a permission, the end of an enrolment) are written
together or not at all, so a client that saw an error may send the same again.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rekindle.facts.events import Card, EventType
from rekindle.journeys import Signal
from rekindle.ledger.book import LedgerBook
from rekindle.ledger.bulk import insert_rows, moment_writer
from rekindle.ledger.intake.cards import save_cards
from rekindle.ledger.intake.identity import Links
from rekindle.ledger.intake.reports import EVENTS, SIGNALS, Report
from rekindle.ledger.queries import (
    Row,
    execute,
    fetch,
    instant_of,
    ledger_transaction,
    rows_of,
    text_of,
)
from rekindle.ledger.signals import know_people
from rekindle.vocabulary import SignalKind

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

    def take(self, source: str, reports: Sequence[Report], at: datetime) -> Taken:
        """Keep new reports of a source and do what they call for, all of it or nothing."""
        unique: dict[str, Report] = {}
        for report in reports:
            unique.setdefault(report.event.message_id, report)
        with ledger_transaction(self._alias):
            links = Links.load(self._alias, (report.event for report in unique.values()))
            for report in unique.values():
                report.person = links.person_of(report.event)
            kept = {
                id_: report for id_, report in unique.items() if report.person not in links.erased
            }
            fresh = self._keep(source, kept, at)
            links.save(self._alias, at)
            save_cards(self._alias, self._book, _told(fresh), source=source)
            doers = {report.person for report in fresh if report.kind and report.person}
            know_people(self._alias, doers & links.strangers)
            ended = self._act(source, fresh, at)
        erased = frozenset(unique.keys() - kept.keys())
        repeated = len(reports) - len(fresh) - sum(r.event.message_id in erased for r in reports)
        return Taken(len(reports) - len(erased), repeated, ended, erased)

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

    def _keep(self, source: str, kept: Mapping[str, Report], at: datetime) -> list[Report]:
        """Keep the reports that are new, and return them.

        If another transaction keeps one of them at this very moment, the database refuses
        the later batch whole; sent again, it finds what is there.
        """
        ids = rows_of((id_,) for id_ in kept)
        known = {id_ for (id_,) in fetch(self._alias, "known_events", source, ids)}
        fresh = [report for id_, report in kept.items() if id_ not in known]
        self._mark_young(fresh)
        received_at = moment_writer(self._alias)(at)
        # In one order everywhere: two transactions that insert the same rows wait, not lock.
        rows = sorted(report.row(source, received_at) for report in fresh)
        insert_rows(self._alias, EVENTS, rows)
        return fresh

    def _mark_young(self, fresh: Iterable[Report]) -> None:
        """Mark opens and clicks that came too soon to be a person's."""
        answers = [one for one in fresh if one.person is not None and one.kind in ANSWERS]
        if not answers:
            return
        people = sorted({str(one.person) for one in answers})
        rows = fetch(self._alias, "newest_accepted_of", rows_of((person,) for person in people))
        accepted = {person: instant_of(text) for person, text in rows}
        for one in answers:
            accepted_at = accepted.get(str(one.person))
            if accepted_at is not None and timedelta() <= one.event.at - accepted_at < YOUNG:
                one.is_machine, one.kind = True, None

    def _act(self, source: str, fresh: Iterable[Report], at: datetime) -> int:
        """Act on what people did; record what is more than its report, or another's too."""
        felt = [(one, one.person) for one in fresh if one.kind and one.person is not None]
        if not felt:
            return 0
        relatives = self._relatives(person for _, person in felt)
        recorded: list[Signal] = []
        reported: list[Signal] = []
        for one, person in felt:
            is_recorded = one.kind in SIGNALS
            (recorded if is_recorded else reported).append(one.signal(source, person))
            recorded += [one.signal(source, other) for other in relatives.get(person, ())]
        return self._book.record(recorded, at, reported=reported)

    def _relatives(self, people: Iterable[str]) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        batch = rows_of((person,) for person in sorted(set(people)))
        for person, other in fetch(self._alias, "relatives_of", batch):
            found[person].append(other)
        return found


def _told(fresh: Iterable[Report]) -> list[tuple[str, datetime, Card]]:
    """Return what identify calls said of whom and when, oldest first."""
    told = [
        (one.person, one.event.at, one.event.card)
        for one in fresh
        if one.person is not None and one.event.card is not None
    ]
    return sorted(told, key=lambda one: one[1])


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
