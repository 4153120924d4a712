"""The way from the ledger to the lake: what was reported becomes facts at the next import.

Events are written as files in the shape of the contracts, so that they are checked and
quarantined like any other file.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rekindle.config import SourceSettings
from rekindle.consent import ERASED, Suppression, Whom
from rekindle.facts import (
    CONTRACTS,
    REPORTED,
    Lake,
    find_addresses,
    forget_people,
    held_cards,
    held_orders,
)
from rekindle.identity import normalise_address
from rekindle.intake import (
    HUMAN_KINDS,
    EventType,
    KeptEvent,
    Statement,
    basket_rows,
    fold_order,
    is_of_visitor,
    kind_of,
    list_currencies_told,
    name_refund,
    read_card,
    read_lines,
    take_back_refund,
)
from rekindle.ledger.book import LedgerBook
from rekindle.ledger.book.own_words import OwnCard
from rekindle.ledger.guards.forgetting import erased_ids, forget_words
from rekindle.ledger.intake.inbox import Inbox
from rekindle.ledger.intake.keys import ApiKeys
from rekindle.ledger.queries import ledger_transaction
from rekindle.messages import AddressKind

SLICE = 20_000
"""Events that become facts at a time: enough to be quick, few enough to fit in memory."""

FOLDER = REPORTED.rstrip("/")
logger = logging.getLogger(__name__)

FIELD_OF = {"email": "address", "email_verified": "address", "region": "country"}
"""Which part of the ledger's card a column is, where the names differ."""

GONE = Suppression(None, None, ERASED, Whom.ADDRESS)
Row = dict[str, Any]


@contextmanager
def spooled_sources(
    inbox: Inbox, base: Path, *, lake: Lake, currency: str, now: Callable[[], datetime]
) -> Iterator[tuple[SourceSettings, ...]]:
    """Yield sources made of the oldest events in the spool; none if it is empty.

    ``currency`` is the workspace's.
    They leave the spool when the block ends without an error, so only once the lake
    shows them.
    """
    if not lake.versions():
        inbox.spool_everything()
    events = inbox.spooled(limit=SLICE)
    folder = base / FOLDER
    spool = _Spool(inbox, base, lake, currency)
    sources = [s for name, own in _by_source(events) for s in _write(spool, name, own)]
    yield tuple(sources)
    inbox.mark_exported(events, now())
    for source in sources:
        (base / str(source.path)).unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def forget_facts_of_erased(alias: str, lake: Lake, book: LedgerBook, at: datetime) -> int:
    """Take out of the lake who the people were who were erased, and what they did.

    Addresses that the facts have of them and the ledger had not, as those of an older release
    or of a file that came later, are suppressed before they are forgotten. Returns of how many
    people something was removed, counted by table.

    Raises:
        BusyError: an import is running.
    """
    people = erased_ids(alias)
    if not people:
        return 0
    addresses = find_addresses(lake, people)
    book.suppress_addresses((kind, value, GONE, at) for _, kind, value in addresses)
    _forget_texts(alias, book, addresses)
    spelled = {value for _, _, value in addresses}
    spelled |= {
        normalise_address(value) for _, kind, value in addresses if kind == AddressKind.EMAIL
    }
    sources = {key.source for key in ApiKeys(alias).all()}
    return forget_people(lake, people, spelled - {""}, sources=sources)


def _forget_texts(alias: str, book: LedgerBook, addresses: Sequence[tuple[str, str, str]]) -> None:
    """Take addresses that were on no card of the ledger out of every text about their people."""
    now = book.persons.find(id_ for id_, *_ in addresses)
    words: dict[str, set[str]] = {}
    for id_, _, value in addresses:
        words.setdefault(now[id_], set()).add(value)
    with ledger_transaction(alias):
        for person, own in sorted(words.items()):
            forget_words(alias, person, sorted(own, key=len, reverse=True), ())


def _by_source(events: Iterable[KeptEvent]) -> Iterator[tuple[str, list[KeptEvent]]]:
    names = sorted({event.source for event in events})
    for name in names:
        yield name, [event for event in events if event.source == name]


@dataclass(frozen=True, slots=True)
class _Spool:
    """Where events are read from, and the folders they go to and are completed from."""

    inbox: Inbox
    base: Path
    lake: Lake
    currency: str


def _write(spool: _Spool, name: str, events: Sequence[KeptEvent]) -> Iterator[SourceSettings]:
    """Write the facts of one source's events; yield the files as sources."""
    orders = _orders(spool, name, events)
    tables = {
        "customers": _cards(spool, events),
        "order_lines": [line for order in orders for line in order[1]],
        "orders": [order[0] for order in orders],
        "events": [_event(one) for one in events if _is_fact(one)],
        "baskets": basket_rows(events, spool.currency),
    }
    for table, rows in tables.items():
        if rows:
            path = f"{FOLDER}/{name}-{table}-{events[0].number}-{events[-1].number}.jsonl"
            _write_lines(spool.base / path, rows)
            said = {name for row in rows for name in row}
            columns = {c.name: c.name for c in CONTRACTS[table].inputs if c.name in said}
            yield SourceSettings(name=name, table=table, path=path, columns=columns, timezone="UTC")


def _write_lines(path: Path, rows: Iterable[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _is_fact(event: KeptEvent) -> bool:
    if event.type not in (EventType.TRACK, EventType.PAGE, EventType.SCREEN) or event.subject:
        return False
    return not (event.is_machine and kind_of(event.name, event.content) in HUMAN_KINDS)


def _event(event: KeptEvent) -> Row:
    return {
        "event_id": event.message_id,
        "customer_id": event.person,
        "event": event.name,
        "occurred_at": event.at.isoformat(),
    }


def _orders(spool: _Spool, source: str, events: Iterable[KeptEvent]) -> list[tuple[Row, list[Row]]]:
    """Return each order that was reported on, with its lines, from all its events."""
    touched = {event.subject for event in events if event.subject}
    if not touched:
        return []
    told: dict[str, list[KeptEvent]] = {order: [] for order in sorted(touched)}
    held = held_orders(spool.lake, source, touched | {name_refund(one) for one in touched})
    since = {order: held[order].get("counts_since") if order in held else None for order in told}
    for event in spool.inbox.of_orders(source, since):
        told[event.subject].append(event)
    found: list[tuple[Row, list[Row]]] = []
    for order_id, own in told.items():
        try:
            row = fold_order(order_id, own, held.get(order_id))
        except ValueError as error:  # of an earlier release, which took more at the door
            logger.error(
                "what was reported of order %r of %s says no sum: %s", order_id, source, error
            )
            continue
        if row is not None:
            found += [(one, _lines(one, own)) for one in _in_each(row, own, spool.currency)]
            # It came before its order did, and was written down alone.
            alone = held.get(name_refund(order_id))
            if alone is not None and row["order_id"] == order_id:
                found.append((take_back_refund(alone), []))
    return found


def _in_each(row: Row, events: Sequence[KeptEvent], currency: str) -> list[Row]:
    """Return an order once for each currency of its amounts: the import refuses more than one."""
    told = list_currencies_told(row, events, currency)
    return [row] if len(told) == 1 else [row | {"currency": code} for code in told]


def _lines(row: Row, events: Iterable[KeptEvent]) -> list[Row]:
    """Return the products of an order as they were last told."""
    shared = {name: row.get(name) for name in ("order_id", "customer_id", "ordered_at", "currency")}
    placed = [one for one in events if one.name in ("order_completed", "order_updated")]
    told = (lines for one in reversed(placed) if (lines := read_lines(one.content)))
    return [{**shared, **line} for line in next(told, [])]


def _cards(spool: _Spool, events: Iterable[KeptEvent]) -> list[Row]:
    """Return the cards of people who were identified: what was said over what is held.

    What comes late, and was said otherwise since, is left out.
    """
    # What a page says is no evidence of who is who, and no address of anybody.
    told = [
        event
        for event in events
        if event.type is EventType.IDENTIFY and event.person and not is_of_visitor(event.message_id)
    ]
    if not told:
        return []
    people = {str(one.person) for one in told}
    held, own = held_cards(spool.lake, people), spool.inbox.said_of(people)
    # Whatever a file said of a permission stands as its own statement; it is not said again.
    cards = {
        who: {k: v for k, v in card.items() if "_consent" not in k} for who, card in held.items()
    }
    rows: dict[str, Row] = {}
    for event in sorted(told, key=lambda one: (one.at, one.number)):
        person = str(event.person)
        before = rows.get(person) or cards.get(person) or {"created_at": event.at.isoformat()}
        said = _said(event, spool.inbox.is_held)
        if (card := own.get(person)) is not None:
            said = {k: v for k, v in said.items() if not _was_said_since(card, person, k, event.at)}
        if "email" in said:  # whether another address was theirs says nothing of this one
            before = {k: v for k, v in before.items() if k != "email_verified"}
        rows[person] = {**before, "customer_id": person, **said}
    return list(rows.values())


def _was_said_since(card: OwnCard, person: str, column: str, at: datetime) -> bool:
    """Return whether the same id gave a column of their card a newer value."""
    said = card.said.get(FIELD_OF.get(column, column))
    is_own = said is not None and (said.given or card.person.id) == person
    return said is not None and is_own and said.at > at.isoformat()


def _said(event: KeptEvent, is_held: Callable[[Statement], bool]) -> Row:
    card = read_card(event.content)
    said: Row = {
        "email": card.email,
        "email_verified": card.email_verified,
        "phone": card.phone,
        "first_name": card.first_name,
        "last_name": card.last_name,
        "country": card.country,
        "region": card.region,
        "timezone": card.timezone,
        "created_at": card.created_at and card.created_at.isoformat(),
    }
    consents = {one.name for one in CONTRACTS["customers"].columns}
    for statement in card.statements:
        # A yes that may wait for its confirmation is none, and stands in the ledger alone.
        # Of channels that the contract has no column for, the ledger alone knows.
        if (column := f"{statement.channel}_consent") in consents and not is_held(statement):
            said |= {column: statement.granted, f"{column}_at": event.at.isoformat()}
    return {name: value for name, value in said.items() if value is not None}
