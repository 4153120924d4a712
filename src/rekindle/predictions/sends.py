"""Whom other systems wrote to before, as persons: what is learned and compared leaves them out.

Exports name people by address more often than by id. An address is a person where it is of
one person alone; a shared one, and one that nobody here goes by, is of nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

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


def _find_persons(facts: Facts, run: Run, named: set[str]) -> Mapping[str, str]:
    """Return the person of each of ``named``, ids or addresses, for those who are known."""
    if not named:
        return {}
    ids = facts.orders.select("customer_id").union(facts.customers.select("customer_id"))
    known = set(run(ids.distinct())["customer_id"].to_pylist())
    found = {one: one for one in named if one in known}
    others = named - known
    if not others:
        return found
    people: defaultdict[str, set[str]] = defaultdict(set)
    for value, person in _handles(facts, run, known):
        if value and person in known:
            people[value].add(person)
    for one in others:
        value = normalise_address(one) if "@" in one else normalise_phone(one)
        if len(of := people.get(value, set())) == 1:
            (found[one],) = of
    return found


def _handles(facts: Facts, run: Run, known: Iterable[str]) -> Iterable[tuple[str, str]]:
    """Yield addresses and numbers in their normal spelling, each with whose it is.

    An id may be an address itself. A warehouse keeps no handles: there the cards say them.
    """
    yield from ((normalise_address(one), one) for one in known if one and "@" in one)
    cards = run(facts.customers.select("customer_id", "email", "phone", "country"))
    for card in cards.to_pylist():
        yield normalise_address(card["email"]), card["customer_id"]
        yield normalise_phone(card["phone"], card["country"]), card["customer_id"]
    books = facts.bookkeeping or {}
    if "handles" not in books:
        return
    handles = books["handles"]
    rows = run(handles.filter(handles.kind != "loyalty").select("customer_id", "value"))
    goes_by = _goes_by(books, run)
    for row in rows.to_pylist():
        yield row["value"], goes_by.get(row["customer_id"], row["customer_id"])


def _goes_by(books: Mapping[str, Any], run: Run) -> Mapping[str, str]:
    if "identities" not in books:
        return {}
    known = books["identities"]
    rows = run(known.filter(known.source.isnull()).select("customer_id", "person_id"))
    return dict(zip(rows["customer_id"].to_pylist(), rows["person_id"].to_pylist(), strict=True))
