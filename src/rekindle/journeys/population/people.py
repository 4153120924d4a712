"""Carries contact cards and recorded consent from the facts into the ledger.

The facts say what the business knows about a person; the ledger needs the address, the
country and every statement of will to judge a permission.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import Any

from rekindle.consent import ConsentRecord
from rekindle.countries import country_code
from rekindle.facts import Engine, Facts
from rekindle.journeys import Book, Person
from rekindle.vocabulary import Channel

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
YES, NO = "yes", "no"


def save_people(engine: Engine, facts: Facts, book: Book, at: datetime) -> int:
    """Write every card and statement of consent into ``book``; return how many people.

    Of several cards of one person the oldest counts, and the next fills its gaps; of their
    statements every one: which of them decides follows from their times. ``at`` is the
    present of whoever asks.
    """
    count = 0
    cards = chain.from_iterable(_cards(engine, facts))
    people = (_person(_united(own)) for _, own in groupby(cards, key=itemgetter("customer_id")))
    while batch := list(islice(people, BATCH)):
        book.save_people(batch)
        count += len(batch)
    for rows in _statements(engine, facts):
        book.save_consent([_consent(row, at) for row in rows])
    return count


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
    named = {key: row[key] for key in ("first_name", "last_name") if row[key]}
    return Person(
        row["customer_id"],
        row["email"],
        country_code(row["country"]),
        row["timezone"],
        named,
        phone=row["phone"],
    )


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
