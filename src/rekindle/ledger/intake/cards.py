"""Writes what identify calls say into contact cards and the record of permissions.

Only what was said changes. A statement that repeats the newest one adds no record, so a
client that sends all traits at every login does not fill the table.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from rekindle.consent import ConsentRecord
from rekindle.intake import Card, Statement
from rekindle.journeys import Person
from rekindle.ledger import models
from rekindle.ledger.book import LedgerBook
from rekindle.ledger.queries import Row, fetch, rows_of

Told = tuple[str, datetime, Card]
"""Whom an identify call was about, when it was made, and what it said."""

NAMES = ("first_name", "last_name")


def save_cards(alias: str, book: LedgerBook, told: Sequence[Told], *, source: str) -> None:
    """Write what was told of people, oldest first; to be called in a transaction."""
    if not told:
        return
    people = rows_of((who,) for who in sorted({who for who, _, _ in told}))
    held = {row[0]: _person_of(row) for row in fetch(alias, "cards_to_change", people)}
    cards = dict(held)
    statements: list[tuple[str, datetime, Statement]] = []
    for who, at, card in told:
        cards[who] = _completed(cards.get(who, Person(who)), card)
        statements += [(who, at, statement) for statement in card.statements]
    if changed := [card for who, card in cards.items() if held.get(who) != card]:
        book.save_people(changed)
    if records := _new_records(alias, statements, source=source):
        book.save_consent(records)


def _person_of(row: Row) -> Person:
    id_, address, country, timezone, properties, phone = row
    named = json.loads(properties) if isinstance(properties, str) else properties
    return Person(id_, address, country, timezone, named, phone)


def _completed(person: Person, card: Card) -> Person:
    given = {
        "address": card.email,
        "phone": card.phone,
        "country": card.country,
        "timezone": card.timezone,
    }
    named = {name: getattr(card, name) for name in NAMES if getattr(card, name)}
    said: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return replace(person, properties={**person.properties, **named}, **said)


def _new_records(
    alias: str, statements: Iterable[tuple[str, datetime, Statement]], *, source: str
) -> list[ConsentRecord]:
    told = list(statements)
    if not told:
        return []
    rows = models.Consent.objects.using(alias).filter(person__in={who for who, _, _ in told})
    newest = {
        (person, channel): (granted, wording)
        for person, channel, granted, wording in rows.order_by("at", "id").values_list(
            "person_id", "channel", "granted", "wording"
        )
    }
    records = []
    for who, at, said in told:
        place = (who, said.channel.value)
        if newest.get(place) == (said.granted, said.wording):
            continue
        newest[place] = (said.granted, said.wording)
        origin = said.source or f"api:{source}"
        records.append(ConsentRecord(who, said.channel, said.granted, at, origin, said.wording))
    return records
