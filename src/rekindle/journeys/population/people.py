"""Carries contact cards and recorded consent from the facts into the ledger.

The facts say what the business knows about a person; the ledger needs the address, the
country and every statement of will to judge a permission.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from rekindle.consent import ConsentRecord
from rekindle.facts import Facts
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
    "email_consent",
    "email_consent_at",
)
# A first consent whose time no source stated counts from the start of records.
UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
BATCH = 10_000


def save_people(facts: Facts, book: Book) -> int:
    """Write every card and statement of consent into ``book``; return how many people.

    Of several cards of one person the oldest counts, of their statements every one.
    """
    count, newest = 0, ""
    for rows in _cards(facts):
        people: list[Person] = []
        for row in rows:
            if row["customer_id"] != newest:
                newest = row["customer_id"]
                people.append(_person(row))
        book.save_people(people)
        book.save_consent([_consent(row) for row in rows if row["email_consent"] is not None])
        count += len(people)
    return count


def _cards(facts: Facts) -> Iterator[list[dict[str, Any]]]:
    """Yield batches of cards, those of one person together and the oldest first."""
    order = ("customer_id", "created_at", "email", "first_name", "last_name")
    cards = facts.customers.select(*CARD_COLUMNS).order_by(*order)
    for batch in cards.to_pyarrow().to_batches(max_chunksize=BATCH):
        yield batch.to_pylist()


def _person(row: dict[str, Any]) -> Person:
    named = {key: row[key] for key in ("first_name", "last_name") if row[key]}
    return Person(
        row["customer_id"],
        row["email"],
        row["country"],
        row["timezone"],
        named,
        phone=row["phone"],
    )


def _consent(row: dict[str, Any]) -> ConsentRecord:
    return ConsentRecord(
        person=row["customer_id"],
        channel=Channel.EMAIL,
        granted=row["email_consent"],
        at=row["email_consent_at"] or row["created_at"] or UNDATED,
        source=f"import:{row['source']}",
    )
