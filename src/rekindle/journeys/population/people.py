"""Carries contact cards and recorded consent from the facts into the ledger.

The facts say what the business knows about a person; the ledger needs the address, the
country and every statement of will to judge a permission. What a book was told of somebody
before is not told again: it remembers a digest, which the engine compares.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import reduce
from itertools import chain, groupby, islice
from operator import add, itemgetter
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.consent import ConsentRecord
from rekindle.countries import place_code
from rekindle.facts import UNSAID, Engine, Facts
from rekindle.identity import dialled_from_abroad
from rekindle.journeys import Book, Person
from rekindle.messages import AddressKind
from rekindle.vocabulary import Channel, is_usable_id

CARD_COLUMNS = (
    "source",
    "customer_id",
    "email",
    "phone",
    "first_name",
    "last_name",
    "country",
    "region",
    "timezone",
    "created_at",
)
SAYING_OF_PEOPLE = ("customers", "permissions", "identities")
"""The tables that ``save_people`` reads; it has nothing to do where they did not change."""
STATEMENT_COLUMNS = ("source", "channel", "said", "said_at", "counts_at")
# What no text holds, so that two different rows are not written alike.
NOTHING, BETWEEN = "\x1e", "\x1f"
# A first consent whose time no source stated counts from the start of records.
UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
PLACES = (("email", AddressKind.EMAIL.value), ("phone", AddressKind.PHONE.value))
"""The columns of a card that say where somebody is written to, and of which kind."""
BATCH = 10_000
LONGEST_ZONE = 64
UNWRITTEN = frozenset({"Cc", "Cs"})

logger = logging.getLogger(__name__)

# Said once in a process: the same row is met again at every import.
_unusable: set[str] = set()
YES, NO = "yes", "no"


def save_people(engine: Engine, facts: Facts, book: Book, at: datetime) -> int:
    """Write the cards and statements of consent that are news into ``book``; count the people.

    Of several cards of one person the oldest counts, and the next fills its gaps; of their
    statements every one: which of them decides follows from their times. ``at`` is the
    present of whoever asks. Of whom the book was told the same before, nothing is written.
    """
    count = 0
    news = _find_news(engine, facts, book.told())
    cards = _usable(chain.from_iterable(_cards(engine, facts, news)))
    people = (_united(own) for _, own in groupby(cards, key=itemgetter("customer_id")))
    while batch := list(islice(people, BATCH)):
        book.save_people(batch)
        count += len(batch)
    for rows in _statements(engine, facts, news):
        book.save_consent([_consent(row, at) for row in _usable(rows)])
    if news is not None:
        # Last, so that what a killed process did not write is news to the next one.
        for told in engine.run(news).to_batches(max_chunksize=BATCH):
            people_told = _usable(told.to_pylist())
            book.note_told({row["customer_id"]: row["digest"] for row in people_told})
    return count


def _find_news(engine: Engine, facts: Facts, told: Mapping[str, str] | None) -> ir.Table | None:
    """Return of whom the facts say something new, with its digest; None is everybody."""
    if told is None:
        return None
    digests = _digested(facts.customers, CARD_COLUMNS)
    if facts.permissions is not None:
        digests = digests.union(_digested(facts.permissions, STATEMENT_COLUMNS))
    # Summed, for the rows of one person have no order; a sum of 64 bits overflows a bigint.
    summed = digests.group_by("customer_id").agg(digest=digests.digest.sum().cast("string"))
    if told:
        columns = pa.array(told.keys(), pa.string()), pa.array(told.values(), pa.string())
        before = engine.bring("people_told", pa.table(columns, names=["person", "before"]))
        # Two questions, for a join by one or the other thing compares everybody with everybody.
        old = [summed.customer_id == before.person, summed.digest == before.before]
        gone = before.filter(before.before == "")
        summed = summed.filter(~summed.customer_id.isin(gone.person)).anti_join(before, old)
    return engine.keep("people_news", summed)


def _digested(table: ir.Table, columns: Iterable[str]) -> ir.Table:
    """Return a number for what each row says; who says it is not a part of it."""
    texts = [
        table[name].cast("string").fill_null(NOTHING) + BETWEEN
        for name in columns
        if name != "customer_id"
    ]
    whole: ir.StringValue = reduce(add, texts)
    return table.select("customer_id", digest=whole.hash().cast("decimal(38, 0)"))


def _usable(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the rows of people the ledger can hold; one it cannot is in nobody's way."""
    for row in rows:
        person = row["customer_id"]
        if is_usable_id(person):
            yield row
        elif person not in _unusable:
            _unusable.add(person)
            logger.warning("%.60r cannot be kept as the id of a person: left out", person)


def _cards(engine: Engine, facts: Facts, news: ir.Table | None) -> Iterator[list[dict[str, Any]]]:
    """Yield batches of cards, those of one person together and the oldest first."""
    order = ("customer_id", "created_at", "email", "first_name", "last_name")
    cards = _among(facts.customers, news).select(*CARD_COLUMNS).order_by(*order)
    for batch in engine.run(cards).to_batches(max_chunksize=BATCH):
        yield batch.to_pylist()


def _united(rows: Iterable[dict[str, Any]]) -> Person:
    """Return one card of several: of each field the first that says something.

    A phone is kept as it is dialled from abroad, and beside it as it was written at home: a
    list may say in that spelling that nobody is to be called there.
    """
    written = list(rows)
    first, *others = told = [row | {"phone": _dialled(row)} for row in written]
    secondary = {
        (kind, text) for row in others for name, kind in PLACES if (text := _clean(row[name]))
    }
    secondary |= {
        (AddressKind.PHONE.value, phone)
        for row, one in zip(written, told, strict=True)
        if (phone := _clean(row["phone"])) and phone != one["phone"]
    }
    for other in others:
        first = {name: other[name] if value is None else value for name, value in first.items()}
    return replace(_person(first), secondary=tuple(sorted(secondary)))


def _dialled(row: dict[str, Any]) -> str | None:
    return dialled_from_abroad(_clean(row["phone"]), row["country"])


def _person(row: dict[str, Any]) -> Person:
    names = ((key, _clean(row[key])) for key in ("first_name", "last_name"))
    return Person(
        row["customer_id"],
        _clean(row["email"]),
        place_code(row["country"], row["region"]),
        _clean(row["timezone"], LONGEST_ZONE),
        {key: name for key, name in names if name},
        phone=row["phone"],
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


def _among(table: ir.Table, people: ir.Table | None) -> ir.Table:
    # Not a semi-join: Ibis loses its way in one that follows the joins of persons.
    return table if people is None else table.filter(table.customer_id.isin(people.customer_id))


def _statements(
    engine: Engine, facts: Facts, news: ir.Table | None
) -> Iterator[list[dict[str, Any]]]:
    """Yield batches of what people ever said, the oldest first."""
    if facts.permissions is None:
        return
    order = ("counts_at", "customer_id", "channel", "said", "source", "file")
    told = _among(facts.permissions, news)
    # When the source last said something of this channel before: what lies after is the same no.
    own = ibis.window(group_by=("source", "customer_id", "channel"), order_by=("counts_at", "file"))
    told = told.mutate(since=told.counts_at.lag().over(own))
    told = told.select(*order, "said_at", "since").order_by(*order)
    for batch in engine.run(told).to_batches(max_chunksize=BATCH):
        yield batch.to_pylist()


def _consent(row: dict[str, Any], at: datetime) -> ConsentRecord:
    """Return a statement; a no without a date counts at once, whatever clock imported it.

    Once is enough: the next pass, whose clock says another time, is told that it is the same.
    A word that is neither yes nor no is perhaps a no, and is kept with it.
    """
    said, counts_at, is_unsaid = row["said"], row["counts_at"], row["said"] == UNSAID
    is_yes = said == YES or is_unsaid
    is_undated_no = not is_yes and row["said_at"] is None
    return ConsentRecord(
        person=row["customer_id"],
        channel=Channel(row["channel"]),
        granted=is_yes,
        at=min(counts_at, at) if is_undated_no else counts_at,
        source=f"import:{row['source']}",
        wording="" if said in (YES, NO, UNSAID) else f"{said!r} is neither yes nor no: held back",
        since=(row["since"] or UNDATED) if is_undated_no else None,
        is_unsaid=is_unsaid,
    )
