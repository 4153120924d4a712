"""``LedgerBook``: the engine's book, kept in a database.

Every method is one transaction over a whole batch. The statements are in
``sql/ledger.sql``; this file says which of them a promise of ``Book`` takes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

from rekindle.consent import ConsentRecord
from rekindle.journeys import (
    Dossier,
    Enrolment,
    JourneyVersion,
    Move,
    Past,
    Person,
    Signal,
)
from rekindle.ledger import models
from rekindle.ledger.dossiers import Terms, load_dossiers
from rekindle.ledger.moves import save_moves
from rekindle.ledger.queries import (
    Row,
    execute,
    fetch,
    instant_of,
    ledger_errors,
    ledger_transaction,
    rows_of,
    text_of,
    text_or_none,
)
from rekindle.ledger.signals import know_people, record_signals
from rekindle.ledger.versions import Versions
from rekindle.vocabulary import Arm, Channel

T = TypeVar("T")

CHUNK = 10_000
"""Rows a statement carries: enough to be fast, few enough to keep memory flat."""


class LedgerBook:
    """Implements ``rekindle.journeys.interfaces.Book`` on SQLite and PostgreSQL.

    ``secret`` keys the hash under which a suppressed address is remembered;
    ``longest_window`` is the longest cap window, so how far back sends are read.
    Every method raises LedgerError when the database refuses or goes away.
    """

    def __init__(
        self, alias: str, *, secret: bytes, soft_opt_in: bool, longest_window: timedelta
    ) -> None:
        self._alias = alias
        self._secret = secret
        self._terms = Terms(soft_opt_in=soft_opt_in, longest_window=longest_window)
        self._versions = Versions(alias)

    def save_people(self, people: Iterable[Person]) -> None:
        """Insert or update contact cards by id."""
        cards = {person.id: person for person in people}
        with ledger_transaction(self._alias):
            for chunk in _chunks(cards.values()):
                rows = [self._card(person) for person in chunk]
                execute(self._alias, "save_people", rows_of(rows))

    def save_consent(self, records: Iterable[ConsentRecord]) -> None:
        """Append records; one equal in person, channel, granted and at is kept once."""
        with ledger_transaction(self._alias):
            for chunk in _chunks(records):
                know_people(self._alias, (record.person for record in chunk))
                rows = [_consent(record) for record in chunk]
                execute(self._alias, "add_consents", rows_of(rows))

    def suppress(self, person: str, channel: Channel, *, reason: str, at: datetime) -> None:
        """Never contact this person's address on this channel again."""
        row = (person, channel.value, reason, text_of(at))
        with ledger_transaction(self._alias):
            know_people(self._alias, [person])
            execute(self._alias, "suppress", rows_of([row]))

    def start(self, version: JourneyVersion) -> None:
        """Make this version the one new people enter; earlier versions run out."""
        self._versions.start(version)

    def running(self) -> Sequence[JourneyVersion]:
        """Return the newest version of every journey that takes new people."""
        return self._versions.running()

    def versions(self, journey: str) -> Sequence[JourneyVersion]:
        """Return every version of a journey, oldest first."""
        return self._versions.of_journey(journey)

    def past(self, journey: str, people: Collection[str]) -> Mapping[str, Past]:
        """Return each person's latest enrolment in the journey, for those who have one."""
        found: dict[str, Past] = {}
        with ledger_transaction(self._alias):
            for chunk in _chunks(people):
                batch = rows_of((person,) for person in chunk)
                rows = fetch(self._alias, "past_of", batch, journey)
                found |= {row[0]: _past(row) for row in rows}
        return found

    def enrol(self, enrolments: Sequence[Enrolment]) -> int:
        """Insert enrolments and first-time assignments; return how many were new.

        Raises:
            LedgerError: a version was never started here.
        """
        for journey, version in {(one.journey, one.version) for one in enrolments}:
            self._versions.find(journey, version)
        new = 0
        with ledger_transaction(self._alias):
            for chunk in _chunks(enrolments):
                know_people(self._alias, (enrolment.person for enrolment in chunk))
                drawn = rows_of(_assignment(enrolment) for enrolment in chunk)
                execute(self._alias, "assign", drawn)
                rows = rows_of(_enrolment(enrolment) for enrolment in chunk)
                new += execute(self._alias, "enrol", rows)
        return new

    def due(self, at: datetime, limit: int) -> Sequence[Dossier]:
        """Return up to ``limit`` open enrolments with ``due_at <= at``, oldest first.

        Read outside a transaction: ``save`` drops what changed in between, and the
        outbox looks again before anything leaves.
        """
        return load_dossiers(self._alias, self._versions, at, limit=limit, terms=self._terms)

    def save(self, moves: Sequence[Move]) -> int:
        """Write decisions, touches, messages and advances; return how many applied."""
        with ledger_transaction(self._alias):
            return sum(save_moves(self._alias, self._versions, c) for c in _chunks(moves))

    def record(self, signals: Sequence[Signal], at: datetime) -> int:
        """Record what happened and end what it must end; return how many ended."""
        with ledger_transaction(self._alias):
            chunks = _chunks(signals)
            return sum(record_signals(self._alias, self._versions, c, at) for c in chunks)

    def open_enrolments(self) -> Iterable[Enrolment]:
        """Return every enrolment that has not ended, one at a time."""
        rows = models.Enrolment.objects.using(self._alias).filter(ended_at=None).order_by("id")
        with ledger_errors():
            for row in rows.iterator(chunk_size=CHUNK):
                yield enrolment_of(row)

    def _card(self, person: Person) -> tuple[object, ...]:
        return (
            person.id,
            person.address,
            hash_address(person.address, self._secret),
            person.country,
            person.timezone,
            json.dumps(dict(person.properties)),
        )


def hash_address(address: str | None, secret: bytes) -> str:
    """Return the keyed hash (HMAC-SHA256, hex) of a normalised address; "" for none."""
    if not address or not (normal := address.strip().casefold()):
        return ""
    return hmac.new(secret, normal.encode(), hashlib.sha256).hexdigest()


def _chunks(values: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(values)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def _consent(record: ConsentRecord) -> Row:
    return (
        record.person,
        record.channel.value,
        record.granted,
        text_of(record.at),
        record.source,
        record.wording,
    )


def _past(row: Row) -> Past:
    _, rotation, entered_at, is_open, arm = row
    return Past(
        rotation=rotation,
        entered_at=instant_of(entered_at),
        is_open=bool(is_open),
        arm=Arm(arm),
    )


def _assignment(enrolment: Enrolment) -> Row:
    return (
        enrolment.person,
        enrolment.journey,
        enrolment.arm.value,
        text_of(enrolment.entered_at),
        enrolment.version,
    )


def _enrolment(enrolment: Enrolment) -> Row:
    return (
        enrolment.person,
        enrolment.journey,
        enrolment.version,
        enrolment.rotation,
        enrolment.arm.value,
        text_of(enrolment.entered_at),
        text_or_none(enrolment.last_order_at),
        enrolment.position,
        text_of(enrolment.ready_at),
        text_of(enrolment.due_at),
    )


def enrolment_of(row: models.Enrolment) -> Enrolment:
    """Return a row as the engine knows it."""
    return Enrolment(
        person=row.person_id,
        journey=row.journey,
        version=row.version,
        rotation=row.rotation,
        arm=Arm(row.arm),
        entered_at=row.entered_at,
        last_order_at=row.last_order_at,
        position=row.position,
        ready_at=row.ready_at,
        due_at=row.due_at,
    )
