"""Writes what identify calls say into contact cards and the record of permissions.

Only what was said changes. A statement that repeats the newest one adds no record, so a
client that sends all traits at every login does not fill the table; but a no that is repeated
later does, once an hour, so that an older yes that arrives late does not come after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from rekindle.consent import ConsentRecord, PendingConsent, needs_confirming
from rekindle.countries import place_code
from rekindle.gate import BookRules
from rekindle.identity import dialled_from_abroad
from rekindle.intake import Card, Statement
from rekindle.journeys import Person
from rekindle.ledger import models
from rekindle.ledger.book import LedgerBook
from rekindle.ledger.book.addresses import Given
from rekindle.ledger.book.confirming import load_pending
from rekindle.ledger.book.own_words import OwnCard, read_own_card
from rekindle.ledger.queries import fetch, rows_of
from rekindle.messages import AddressKind

SAID_AGAIN_AFTER = timedelta(hours=1)

Told = tuple[str, datetime, Card, str]
"""Whom an identify call was about, when it was made, what it said, and the id it came under,
where that stands for the person."""


def save_cards(
    alias: str, book: LedgerBook, told: Sequence[Told], *, source: str, at: datetime
) -> None:
    """Write what was told of people, oldest first; to be called in a transaction."""
    if not told:
        return
    people = rows_of((who,) for who in sorted({who for who, *_ in told}))
    rows = fetch(alias, "cards_to_change", people)
    cards = {row[0]: read_own_card(row) for row in rows}
    before = {row[0]: (cards[row[0]].person, row[6]) for row in rows}
    statements: list[tuple[str, datetime, Statement]] = []
    addresses: list[Given] = []
    for who, said_at, card, given in told:
        own = cards.setdefault(who, OwnCard(Person(who)))
        told_now = _given(card, own.person.country)
        own.give(told_now, said_at, by=given)
        if card.phone and card.phone != told_now["phone"]:
            # As it was written at home, a list may say that nobody is to be called there.
            at_home = (AddressKind.PHONE.value, card.phone)
            own.person = replace(own.person, secondary=(*own.person.secondary, at_home))
        statements += [(who, said_at, statement) for statement in card.statements]
        addresses += [Given(who, said_at, one.kind, one.value, given) for one in card.addresses]
    changed = [c for who, c in cards.items() if before.get(who) != (c.person, c.text)]
    if changed:
        book.save_own_cards(changed)
    book.save_addresses(addresses)
    if not statements:
        return
    places = {who: card.person.country for who, card in cards.items()}
    records, waiting = _sort(alias, book.terms, statements, places, source=source)
    if records:
        book.save_consent(records)
    if waiting:
        book.save_pending(waiting, at)


def _given(card: Card, lives_in: str | None) -> dict[str, str]:
    country = place_code(card.country, card.region)
    given = {
        "address": card.email,
        "phone": dialled_from_abroad(card.phone, country or lives_in),
        "country": country,
        "timezone": card.timezone,
        "first_name": card.first_name,
        "last_name": card.last_name,
    }
    return {name: value for name, value in given.items() if value}


def _sort(
    alias: str,
    terms: BookRules,
    told: Sequence[tuple[str, datetime, Statement]],
    places: Mapping[str, str | None],
    *,
    source: str,
) -> tuple[list[ConsentRecord], list[PendingConsent]]:
    """Return what is new of statements, oldest first: those that hold, and each yes that waits.

    Who agreed already is not asked to confirm it, nor who was asked in the same words and may
    still do so.
    """
    people = {who for who, _, _ in told}
    rows = models.Consent.objects.using(alias).filter(person__in=people)
    newest = {
        (person, channel): (granted, wording, at)
        for person, channel, granted, wording, at in rows.order_by("at", "id").values_list(
            "person_id", "channel", "granted", "wording", "at"
        )
    }
    asked = {(one.person, one.channel.value): one for one in load_pending(alias, people)}
    records: list[ConsentRecord] = []
    waiting: list[PendingConsent] = []
    for who, at, said in told:
        place, origin = (who, said.channel.value), said.source or f"api:{source}"
        known = newest.get(place)
        if known is not None and _is_told(said, at, *known):
            continue
        if not (said.granted and _waits(said, places[who], terms)):
            if known is None or known[2] <= at:
                newest[place] = (said.granted, said.wording, at)
            records.append(ConsentRecord(who, said.channel, said.granted, at, origin, said.wording))
            continue
        one = PendingConsent(who, said.channel, at, origin, said.wording)
        if not (known is not None and known[0]) and not _repeats(
            one, asked.get(place), known[2] if known else None, terms.confirm_within
        ):
            asked[place] = one
            waiting.append(one)
    return records, waiting


def _is_told(said: Statement, at: datetime, granted: bool, wording: str, known: datetime) -> bool:
    """Return whether a statement adds nothing to the newest on record."""
    is_same = (granted, wording) == (said.granted, said.wording)
    return is_same and (granted or at < known + SAID_AGAIN_AFTER)


def _waits(said: Statement, place: str | None, terms: BookRules) -> bool:
    if said.is_confirmed is not None:
        return not said.is_confirmed
    return needs_confirming(place, terms.double_opt_in)


def _repeats(
    one: PendingConsent,
    before: PendingConsent | None,
    refused_at: datetime | None,
    within: timedelta,
) -> bool:
    """Return whether the same was asked in the same words before, and may be confirmed yet."""
    if before is None or before.wording != one.wording or one.at >= before.at + within:
        return False
    return refused_at is None or refused_at < before.at
