"""Writes what identify calls say into contact cards and the record of permissions.

Only what was said changes. A statement that repeats the newest one adds no record, so a
client that sends all traits at every login does not fill the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from rekindle.consent import ConsentRecord
from rekindle.countries import place_code
from rekindle.intake import Card, Statement
from rekindle.journeys import Person
from rekindle.ledger import models
from rekindle.ledger.book import LedgerBook
from rekindle.ledger.book.addresses import Given
from rekindle.ledger.book.own_words import OwnCard, read_own_card
from rekindle.ledger.queries import fetch, rows_of

Told = tuple[str, datetime, Card, str]
"""Whom an identify call was about, when it was made, what it said, and the id it came under,
where that stands for the person."""


def save_cards(alias: str, book: LedgerBook, told: Sequence[Told], *, source: str) -> None:
    """Write what was told of people, oldest first; to be called in a transaction."""
    if not told:
        return
    people = rows_of((who,) for who in sorted({who for who, *_ in told}))
    rows = fetch(alias, "cards_to_change", people)
    cards = {row[0]: read_own_card(row) for row in rows}
    before = {row[0]: (cards[row[0]].person, row[6]) for row in rows}
    statements: list[tuple[str, datetime, Statement]] = []
    addresses: list[Given] = []
    for who, at, card, given in told:
        cards.setdefault(who, OwnCard(Person(who))).give(_given(card), at, by=given)
        statements += [(who, at, statement) for statement in card.statements]
        addresses += [Given(who, at, one.kind, one.value, given) for one in card.addresses]
    changed = [c for who, c in cards.items() if before.get(who) != (c.person, c.text)]
    if changed:
        book.save_own_cards(changed)
    book.save_addresses(addresses)
    if records := _new_records(alias, statements, source=source):
        book.save_consent(records)


def _given(card: Card) -> dict[str, str]:
    given = {
        "address": card.email,
        "phone": card.phone,
        "country": place_code(card.country, card.region),
        "timezone": card.timezone,
        "first_name": card.first_name,
        "last_name": card.last_name,
    }
    return {name: value for name, value in given.items() if value}


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
