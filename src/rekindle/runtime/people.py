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
    "first_name",
    "last_name",
    "country",
    "timezone",
    "created_at",
    "email_consent",
    "email_consent_at",
)
# Consent whose time no source stated counts from the start of records.
UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
BATCH = 10_000


def save_people(facts: Facts, book: Book) -> int:
    """Write every card and statement of consent into ``book``; return how many cards."""
    count = 0
    for rows in _cards(facts):
        people = {row["customer_id"]: _person(row) for row in rows}
        book.save_people(people.values())
        book.save_consent([_consent(row) for row in rows if row["email_consent"] is not None])
        count += len(people)
    return count


def _cards(facts: Facts) -> Iterator[list[dict[str, Any]]]:
    """Yield batches of cards; of several cards of one person the first id's wins."""
    cards = facts.customers.select(*CARD_COLUMNS).order_by("customer_id")
    for batch in cards.to_pyarrow().to_batches(max_chunksize=BATCH):
        yield batch.to_pylist()


def _person(row: dict[str, Any]) -> Person:
    named = {key: row[key] for key in ("first_name", "last_name") if row[key]}
    return Person(row["customer_id"], row["email"], row["country"], row["timezone"], named)


def _consent(row: dict[str, Any]) -> ConsentRecord:
    return ConsentRecord(
        person=row["customer_id"],
        channel=Channel.EMAIL,
        granted=row["email_consent"],
        at=row["email_consent_at"] or row["created_at"] or UNDATED,
        source=f"import:{row['source']}",
    )
