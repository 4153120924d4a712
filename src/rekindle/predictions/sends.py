"""Whom other systems wrote to before, as persons: what is learned and compared leaves them out.

Exports name people by address more often than by id. An address is a person where it is of
one person alone; a shared one, and one that nobody here goes by, is of nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from rekindle.facts import Facts
from rekindle.identity import normalise_address, normalise_phone

Run = Callable[[Any], pa.Table]

KEPT_OUT = frozenset(
    {
        "control",
        "control group",
        "control_group",
        "holdout",
        "holdout group",
        "hold-out",
        "held out",
        "global holdout",
        "no message",
        "not sent",
        "kontrolle",
        "kontrollgruppe",
    }
)
"""What the arm of somebody is called who was kept out by lot, in small letters."""
BATCH = 50_000
COLUMNS = ("channel", "campaign", "sent_at", "opened_at", "clicked_at", "bounced", "arm")


def read_past_sends(facts: Facts, run: Run, as_of: datetime) -> pa.Table:
    """Return what was sent before ``as_of``, each to a ``person``; NULL for nobody known here.

    The other columns are those of the contract, and ``is_held_out`` for those kept out.
    """
    known = facts.cut(as_of)
    rows = run(known.more["past_sends"].select("customer_id", *COLUMNS))
    coded = rows["customer_id"].combine_chunks().dictionary_encode()
    named = coded.dictionary.to_pylist()
    persons = _find_persons(known, run, set(named))
    found = pa.array([persons.get(one) for one in named], pa.string()).take(coded.indices)
    arms = rows["arm"].combine_chunks().dictionary_encode()
    is_kept = [one.strip().lower() in KEPT_OUT for one in arms.dictionary.to_pylist()]
    held = pc.fill_null(pa.array(is_kept, pa.bool_()).take(arms.indices), False)
    return rows.append_column("person", found).append_column("is_held_out", held)


def find_sent(facts: Facts, run: Run, as_of: datetime) -> frozenset[str]:
    """Return who was sent something by another system before ``as_of`` that did not come back."""
    if not facts.has_past_sends or "past_sends" not in facts.more:
        return frozenset()
    known = facts.cut(as_of)
    table = known.more["past_sends"]
    was_sent = table.arm.isnull() | ~table.arm.strip().lower().isin(sorted(KEPT_OUT))
    has_left = table.bounced.isnull() | ~table.bounced
    rows = run(table.filter(was_sent & has_left).select("customer_id").distinct())
    persons = _find_persons(known, run, set(rows["customer_id"].to_pylist()))
    return frozenset(persons.values())


def _find_persons(facts: Facts, run: Run, named: Collection[str]) -> Mapping[str, str]:
    """Return the person of each of ``named``, ids or addresses, for those who are known.

    No more is held than of those who are named: of everybody else cards and handles pass by.
    """
    found = {one: one for one in _find_known(facts, run, named)}
    asked: defaultdict[str, list[str]] = defaultdict(list)
    for one in named:
        if one not in found:
            value = normalise_address(one) if "@" in one else normalise_phone(one)
            if value:
                asked[value].append(one)
    if not asked:
        return found
    people: defaultdict[str, set[str]] = defaultdict(set)
    for value, person in _handles(facts, run):
        if value in asked:
            people[value].add(person)
    known = _find_known(facts, run, {person for of in people.values() for person in of})
    for value, of in people.items():
        if len(alone := of & known) == 1:
            (person,) = alone
            found |= dict.fromkeys(asked[value], person)
    return found


def _find_known(facts: Facts, run: Run, named: Collection[str]) -> set[str]:
    """Return those of ``named`` who are known by that id."""
    if not named:
        return set()
    wanted = ibis.memtable(pa.table({"named": pa.array(sorted(named), pa.string())}))
    ids = _ids(facts)
    return set(
        run(ids.semi_join(wanted, ids.customer_id == wanted.named))["customer_id"].to_pylist()
    )


def _ids(facts: Facts) -> ir.Table:
    return facts.orders.select("customer_id").union(
        facts.customers.select("customer_id"), distinct=True
    )


def _handles(facts: Facts, run: Run) -> Iterator[tuple[str, str]]:
    """Yield addresses and numbers in their normal spelling, each with whose it is.

    An id may be an address itself. A warehouse keeps no handles: there the cards say them.
    """
    ids = _ids(facts)
    for (one,) in _rows(run(ids.filter(ids.customer_id.contains("@")))):
        yield normalise_address(one), one
    cards = facts.customers.select("customer_id", "email", "phone", "country")
    for person, email, phone, country in _rows(run(cards)):
        yield normalise_address(email), person
        yield normalise_phone(phone, country), person
    books = facts.bookkeeping or {}
    if "handles" not in books:
        return
    handles = books["handles"]
    rows = run(handles.filter(handles.kind != "loyalty").select("customer_id", "value"))
    goes_by = _goes_by(books, run)
    for one, value in _rows(rows):
        yield value, goes_by.get(one, one)


def _rows(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    """Yield rows as tuples, no more than a batch of them at a time."""
    for batch in table.to_batches(max_chunksize=BATCH):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _goes_by(books: Mapping[str, Any], run: Run) -> Mapping[str, str]:
    if "identities" not in books:
        return {}
    known = books["identities"]
    rows = run(known.filter(known.source.isnull()).select("customer_id", "person_id"))
    return dict(zip(rows["customer_id"].to_pylist(), rows["person_id"].to_pylist(), strict=True))
