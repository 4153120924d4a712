"""Carries contact cards and recorded consent from the facts into the ledger.

The facts say what the business knows about a person; the ledger needs the address, the
country and every statement of will to judge a permission.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import Any

from rekindle.consent import ConsentRecord
from rekindle.countries import country_code
from rekindle.facts import Engine, Facts
from rekindle.journeys import Book, Person
from rekindle.vocabulary import Channel, is_usable_id

CARD_COLUMNS = (
    "source",
    "customer_id",
    "email",
    "phone",
    "first_name",
    "last_name",
    "country",
    "timezone",
    "created_at",
)
# A first consent whose time no source stated counts from the start of records.
UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
BATCH = 10_000
LONGEST_ZONE = 64
UNWRITTEN = frozenset({"Cc", "Cs"})

logger = logging.getLogger(__name__)

# Said once in a process: the same row is met again at every import.
_unusable: set[str] = set()
YES, NO = "yes", "no"


def save_people(engine: Engine, facts: Facts, book: Book, at: datetime) -> int:
    """Write every card and statement of consent into ``book``; return how many people.

    Of several cards of one person the oldest counts, and the next fills its gaps; of their
    statements every one: which of them decides follows from their times. ``at`` is the
    present of whoever asks.
    """
    count = 0
    cards = _usable(chain.from_iterable(_cards(engine, facts)))
    people = (_person(_united(own)) for _, own in groupby(cards, key=itemgetter("customer_id")))
    while batch := list(islice(people, BATCH)):
        book.save_people(batch)
        count += len(batch)
    for rows in _statements(engine, facts):
        book.save_consent([_consent(row, at) for row in _usable(rows)])
    return count


def _usable(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the rows of people the ledger can hold; one it cannot is in nobody's way."""
    for row in rows:
        person = row["customer_id"]
        if is_usable_id(person):
            yield row
        elif person not in _unusable:
            _unusable.add(person)
            logger.warning("%.60r cannot be kept as the id of a person: left out", person)


def _cards(engine: Engine, facts: Facts) -> Iterator[list[dict[str, Any]]]:
    """Yield batches of cards, those of one person together and the oldest first."""
    order = ("customer_id", "created_at", "email", "first_name", "last_name")
    cards = facts.customers.select(*CARD_COLUMNS).order_by(*order)
    for batch in engine.run(cards).to_batches(max_chunksize=BATCH):
        yield batch.to_pylist()


def _united(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return one card of several: of each field the first that says something."""
    first, *others = rows
    for other in others:
        first = {name: other[name] if value is None else value for name, value in first.items()}
    return first


def _person(row: dict[str, Any]) -> Person:
    names = ((key, _clean(row[key])) for key in ("first_name", "last_name"))
    return Person(
        row["customer_id"],
        _clean(row["email"]),
        country_code(row["country"]),
        _clean(row["timezone"], LONGEST_ZONE),
        {key: name for key, name in names if name},
        phone=_clean(row["phone"]),
    )


def _clean(text: str | None, longest: int | None = None) -> str | None:
    """Return a text without what cannot be kept or written: control characters, half pairs.

    One that is longer than its column is not what it should be, and is left out.
    """
    if text is None or (longest is not None and len(text) > longest):
        return None
    if text.isprintable():
        return text
    return "".join(one for one in text if unicodedata.category(one) not in UNWRITTEN)


def _statements(engine: Engine, facts: Facts) -> Iterator[list[dict[str, Any]]]:
    """Yield batches of what people ever said, the oldest first."""
    if facts.permissions is None:
        return
    order = ("counts_at", "customer_id", "channel", "said", "source", "file")
    told = facts.permissions.select(*order, "said_at").order_by(*order)
    for batch in engine.run(told).to_batches(max_chunksize=BATCH):
        yield batch.to_pylist()


def _consent(row: dict[str, Any], at: datetime) -> ConsentRecord:
    """Return a statement; a no without a date counts at once, whatever clock imported it.

    A word that is neither yes nor no is perhaps a no, and is kept with it.
    """
    said, counts_at = row["said"], row["counts_at"]
    is_undated_no = said != YES and row["said_at"] is None
    return ConsentRecord(
        person=row["customer_id"],
        channel=Channel(row["channel"]),
        granted=said == YES,
        at=min(counts_at, at) if is_undated_no else counts_at,
        source=f"import:{row['source']}",
        wording="" if said in (YES, NO) else f"{said!r} is neither yes nor no: held back",
    )
