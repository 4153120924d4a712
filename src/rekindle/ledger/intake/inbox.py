"""Takes reported events into the ledger: kept, understood and acted on in one transaction.

An event and all it causes (a card, a permission, the end of an enrolment) are written
together or not at all, so a client that saw an error may send the same again.
"""

from __future__ import annotations

import json
import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rekindle.intake import EventType, KeptEvent, Statement, is_of_visitor, refusals
from rekindle.journeys import Signal
from rekindle.ledger.book import LedgerBook
from rekindle.ledger.book.own_words import OwnCard, load_own_cards
from rekindle.ledger.bulk import insert_rows, is_postgresql, moment_writer
from rekindle.ledger.guards.forgetting import erased_ids
from rekindle.ledger.guards.passing import add_counts
from rekindle.ledger.intake.cards import Told, save_cards
from rekindle.ledger.intake.identity import BatchLinks
from rekindle.ledger.intake.readying import EVENTS, ReadyEvent, refused_signal
from rekindle.ledger.queries import (
    Row,
    execute,
    fetch,
    instant_of,
    ledger_transaction,
    rows_of,
    text_of,
)
from rekindle.ledger.signals import hold_people, know_people
from rekindle.vocabulary import Reason, SignalKind

ANSWERS = frozenset({SignalKind.OPEN, SignalKind.CLICK})
YOUNG = timedelta(seconds=10)
"""A scanner follows the links of a message within seconds of its arrival; people do not."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch. ``erased`` are the events about people to be forgotten."""

    accepted: int
    repeated: int
    ended: int
    erased: frozenset[str] = frozenset()


class Inbox:
    """The events in one ledger. Every method raises LedgerError when it refuses."""

    def __init__(self, alias: str, book: LedgerBook) -> None:
        self._alias = alias
        self._book = book

    def take(self, source: str, events: Sequence[ReadyEvent], at: datetime) -> Taken:
        """Keep new events of a source and do what they call for, all of it or nothing."""
        # Customers may become one in here; else only nobody else may make them so.
        makes_one = any(one.event.type is EventType.ALIAS for one in events)
        with ledger_transaction(self._alias):
            fetch(self._alias, "hold_persons" if makes_one else "share_persons")
            links = BatchLinks.load(self._alias, (one.event for one in events))
            kept: dict[str, ReadyEvent] = {}
            forgotten = []
            for one in events:
                if links.erased and links.is_about_erased(one.event):
                    forgotten.append(one.event.message_id)
                else:
                    kept.setdefault(one.event.message_id, one)
            fresh = self._keep(source, kept, links, at)
            links.save(self._alias, self._book.persons, at, by=f"api:{source}")
            relatives = self._hold(fresh, links)
            save_cards(self._alias, self._book, _told(fresh), source=source, at=at)
            refused = self._refused_before(links.visitors)
            ended = self._act(source, fresh, relatives, refused, at)
        if returned := ended[Reason.ORDER]:
            # On its own: whoever waits for the row of this figure holds nobody up.
            add_counts(self._alias, {("returned",): returned}, at)
        accepted = len(events) - len(forgotten)
        return Taken(accepted, accepted - len(fresh), ended.total(), frozenset(forgotten))

    def is_held(self, statement: Statement) -> bool:
        """Return whether a yes may wait for its confirmation, by what it says and the settings."""
        if not statement.granted or statement.is_confirmed is not None:
            return statement.granted and not statement.is_confirmed
        return bool(self._book.terms.double_opt_in)

    def spooled(self, *, after: int = 0, limit: int) -> list[KeptEvent]:
        """Return events whose facts have not reached the lake, oldest first."""
        return _readable(fetch(self._alias, "spooled_events", after, limit))

    def about(self, people: Collection[str], names: Collection[str]) -> list[KeptEvent]:
        """Return what these people are reported to have done that the lake has not yet."""
        asked = (rows_of((one,) for one in sorted(set(given))) for given in (people, names))
        return _readable(fetch(self._alias, "spooled_about", *asked))

    def of_orders(self, source: str, since: Mapping[str, str | None]) -> list[KeptEvent]:
        """Return what was reported about these orders, in the order it happened.

        Of an order with an instant, as ISO 8601, without what the facts had of it before then.
        """
        rows = rows_of(
            (order, at and text_of(datetime.fromisoformat(at))) for order, at in since.items()
        )
        return _readable(fetch(self._alias, "events_of_orders", rows, source))

    def said_of(self, people: Collection[str]) -> Mapping[str, OwnCard]:
        """Return what people said of themselves, with when they last did, by the ids given."""
        settled = self._book.persons.find(people)
        cards = load_own_cards(self._alias, settled.values())
        return {one: cards[who] for one, who in settled.items() if who in cards}

    def spool_everything(self) -> None:
        """Put all that was reported back into the spool, but what was forgotten of the erased."""
        gone = rows_of((person,) for person in erased_ids(self._alias))
        with ledger_transaction(self._alias):
            execute(self._alias, "spool_everything", gone)

    def mark_exported(self, events: Iterable[KeptEvent], at: datetime) -> None:
        """Take events out of the spool, once the lake shows their facts."""
        rows = rows_of((one.number, one.person is not None) for one in events)
        with ledger_transaction(self._alias):
            execute(self._alias, "mark_exported", text_of(at), rows)

    def _keep(
        self, source: str, kept: Mapping[str, ReadyEvent], links: BatchLinks, at: datetime
    ) -> list[ReadyEvent]:
        """Keep the events that are new, and return them; of these alone it is learnt who is who.

        If another transaction keeps one of them at this very moment, the database refuses
        the later batch whole; sent again, it finds what is there.
        """
        ids = rows_of((id_,) for id_ in kept)
        known = {id_ for (id_,) in fetch(self._alias, "known_events", source, ids)}
        fresh = [one for id_, one in kept.items() if id_ not in known]
        for one in fresh:
            one.person, one.given = links.whose(one.event)
        self._mark_young(fresh)
        received_at = moment_writer(self._alias)(at)
        # In one order everywhere: two transactions that insert the same rows wait, not lock.
        rows = sorted(one.row(source, received_at) for one in fresh)
        insert_rows(self._alias, EVENTS, rows)
        return fresh

    def _mark_young(self, fresh: Iterable[ReadyEvent]) -> None:
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

    def _hold(self, fresh: Iterable[ReadyEvent], links: BatchLinks) -> Mapping[str, list[str]]:
        """Hold all that these events may change; return who else their people are.

        New cards come first, then places, then the cards there are: the order in which
        everybody takes them.
        """
        people = {one.person for one in fresh if one.person is not None}
        if not people:
            return {}
        relatives: dict[str, list[str]] = defaultdict(list)
        batch = rows_of((person,) for person in sorted(people))
        for person, other in fetch(self._alias, "relatives_of", batch):
            relatives[person].append(other)
        know_people(self._alias, people & links.strangers)
        if is_postgresql(self._alias):  # SQLite has one writer at a time
            hold_people(self._alias, people.union(*relatives.values()))
        return relatives

    def _act(
        self,
        source: str,
        fresh: Iterable[ReadyEvent],
        relatives: Mapping[str, list[str]],
        refused: Sequence[Signal],
        at: datetime,
    ) -> Counter[Reason]:
        """Act on what people did; record what is more than its event, or another's too."""
        recorded = [*refused]
        reported: dict[str, list[ReadyEvent]] = defaultdict(list)
        for one in fresh:
            if one.kind is None or one.person is None:
                continue
            if one.deed is None:
                recorded.append(one.signal(source, one.person))
            else:
                reported[one.person].append(one)
            if others := relatives.get(one.person):
                recorded += [one.signal(source, other) for other in others]
        if not recorded and not reported:
            return Counter()
        return self._book.end_by(recorded, at, reported=reported)

    def _refused_before(self, visitors: Sequence[tuple[str, str]]) -> list[Signal]:
        """Return what visitors who have a name now refused before: it is that person's no."""
        if not visitors:
            return []
        names = rows_of((name,) for name in refusals())
        rows = fetch(self._alias, "said_by_visitors", rows_of(visitors), names)
        told = [one for one in _readable(rows) if not is_of_visitor(one.message_id)]
        return [refused_signal(one) for one in told]


def _told(fresh: Iterable[ReadyEvent]) -> list[Told]:
    """Return what identify calls said of whom and when, oldest first."""
    told = [
        (one.person, one.event.at, one.event.card, one.given or "")
        for one in fresh
        if one.person is not None and one.event.card is not None
    ]
    return sorted(told, key=lambda one: one[1])


def _readable(rows: Iterable[Row]) -> list[KeptEvent]:
    """Return events; one that is damaged stays where it is, and is named."""
    found = []
    for row in rows:
        try:
            found.append(_kept(row))
        except (AttributeError, TypeError, ValueError):
            logger.exception("event %s of %s cannot be read", row[2], row[1])
    return found


def _kept(row: Row) -> KeptEvent:
    number, source, message_id, type_, name, subject, person, at, is_machine, payload = row
    kind = EventType(type_)
    content = json.loads(payload).get("traits" if kind is EventType.IDENTIFY else "properties")
    return KeptEvent(
        name=name,
        person=person,
        at=instant_of(at),
        content=content if isinstance(content, dict) else {},
        message_id=message_id,
        type=kind,
        number=number,
        source=source,
        subject=subject,
        is_machine=bool(is_machine),
    )
