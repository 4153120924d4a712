"""Brings the ledger's persons up to the evidence of the facts.

The ledger says who is one person, because what follows from it (a wish, a cap, an arm)
has to follow in the same transaction. The lake only remembers what points at whom. A
process that dies in between leaves evidence that the next one acts on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import pyarrow as pa

from rekindle.facts import (
    CONTRACTS,
    Engine,
    Lake,
    Testimony,
    load_other_ids,
    load_testimony,
    tell_shared,
)
from rekindle.identity import (
    RULES_VERSION,
    IdentityChange,
    JoinReason,
    Link,
    decide_change,
    find_groups,
)
from rekindle.ledger.book.persons.registry import Persons

EVIDENCE = ("customers", "handles")
BY_THESE = f"rules {RULES_VERSION};"
"""How a version of the evidence begins that was judged by the rules there are now."""


def settle_persons(persons: Persons, lake: Lake, at: datetime) -> tuple[str, ...]:
    """Join and part persons as the evidence in the lake says; return what is to be told.

    Nothing is read where neither the evidence nor what somebody said has changed.
    """
    # Of before anything was read: what an import brings meanwhile is looked at the next time.
    seen = _seen(lake)
    noted = persons.noted()
    if noted == _version(persons, seen):
        return ()
    persons.finish(at)
    known = persons.known()
    is_settled = noted is not None and noted.startswith(BY_THESE)
    said = load_testimony(lake, persons.told(), known, is_settled=is_settled)
    groups = find_groups(said.evidence, rank=said.rank)
    rank = _rank(persons, said, [id_ for ids in groups.groups for id_ in ids])
    if said.persons is not None:
        known = {id_: person for id_, person in known.items() if person in said.persons}
    decided = decide_change(groups, known, rank=rank)
    persons.apply(decided, at)
    persons.note(_version(persons, seen), at)
    return tuple(tell_shared(decided.shared))


def adopt_persons(persons: Persons, engine: Engine, at: datetime) -> tuple[str, ...]:
    """Join whom the warehouse's own table of identities says are one; nothing is to be told."""
    table = (engine.facts().bookkeeping or {}).get("identities")
    if table is None:
        return ()
    known = persons.known()
    told = engine.run(table.filter(table.source.isnull()).order_by("customer_id")).to_pylist()
    links = [
        Link(row["customer_id"], row["person_id"], JoinReason.EARLIER, "the warehouse")
        for row in told
        if row["customer_id"] != row["person_id"]
        and known.get(row["customer_id"]) != row["person_id"]
    ]
    persons.apply(IdentityChange(links, [], []), at)
    return ()


def read_persons(persons: Persons, lake: Lake) -> pa.Table | None:
    """Return whom ids stand for by the ledger, as the facts' engine takes it.

    None where the ledger was never asked: then what the lake worked out still holds.
    """
    if persons.noted() is None:
        return None
    known = persons.known()
    rows = [(None, id_, person) for id_, person in known.items()]
    other = load_other_ids(lake)
    rows += [(source, there, known.get(here, here)) for source, there, here in other]  # type: ignore[misc]
    schema = CONTRACTS["identities"].schema.to_pyarrow()
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return pa.table([pa.array(column, pa.string()) for column in columns], names=schema.names).cast(
        schema
    )


def _seen(lake: Lake) -> str:
    versions = lake.versions()
    return ",".join(f"{table}={versions.get(table)}" for table in EVIDENCE)


def _version(persons: Persons, seen: str) -> str:
    return f"{BY_THESE}{seen};{persons.version().rpartition('/')[0]}"


def _rank(
    persons: Persons, said: Testimony, ids: Sequence[str]
) -> Callable[[str], tuple[object, ...]]:
    """Return who was there first: who is on file, then whom an import saw first."""
    on_file = persons.live(ids)
    return lambda id_: (id_ not in on_file, *said.rank(id_))
