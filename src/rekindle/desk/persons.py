"""What a team asks and says about who is one person; each decision is logged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rekindle.desk.finding import as_text, find_people, find_person, settled_persons
from rekindle.errors import UsageError
from rekindle.identity import (
    Acquaintance,
    HandleKind,
    Join,
    JoinReason,
    Link,
    Suggestion,
    normalise_phone,
    suggest_by_model,
    suggest_joins,
)
from rekindle.ledger import ledger_transaction
from rekindle.runtime import Workspace

CARD_COLUMNS = ("customer_id", "first_name", "last_name", "postcode", "phone", "country")


@dataclass(frozen=True, slots=True)
class Found:
    """A person, and what points at them: kinds and values, ids first."""

    person: str
    handles: Sequence[tuple[str, str]]


def list_people(workspace: Workspace, handle: str) -> list[Found]:
    """Return everybody a handle points at, with all their handles.

    Raises:
        UsageError: it points at nobody.
    """
    people = find_people(workspace, handle)
    if not people:
        raise UsageError(f"{handle!r} points at nobody in the facts or the ledger")
    return [Found(person, _handles_of(workspace, person)) for person in people]


def suggest_people(workspace: Workspace, *, by_model: bool = False) -> list[Suggestion]:
    """Return pairs of persons who may be one, by rules and then by a model; nobody is joined.

    Raises:
        UsageError: there is no model to be had.
    """
    persons = settled_persons(workspace)
    if not workspace.has_facts:
        return []
    engine, facts = workspace.reading
    cards = engine.run(facts.customers.select(*CARD_COLUMNS)).to_pylist()
    people = [
        Acquaintance(
            customer_id=row["customer_id"],
            person=row["customer_id"],
            first_name=row["first_name"] or "",
            last_name=row["last_name"] or "",
            postcode=row["postcode"] or "",
            phone=normalise_phone(row["phone"], row["country"]),
        )
        for row in cards
    ]
    apart = persons.told().apart
    now = persons.find(id_ for pair in apart for id_ in pair)
    pairs = [(now[a], now[b]) for a, b in apart]
    found = suggest_joins(people, apart=pairs)
    if by_model:
        found += suggest_by_model(people, apart=pairs, suggested=found)
    return found


def join_people(workspace: Workspace, one: str, other: str, *, because: str, who: str) -> str:
    """Let two be one person from now on; return the id they go by.

    Who is on file longer keeps theirs: the first that is named, where both are.

    Raises:
        UsageError: they are one already, or a handle points at several or nobody.
    """
    kept, gone = (_known(workspace, handle) for handle in (one, other))
    if kept == gone:
        raise UsageError(f"{one!r} and {other!r} are one person already: {kept}")
    persons, at = workspace.book.persons, workspace.clock.now()
    on_file = persons.live([kept, gone])
    if gone in on_file and kept not in on_file:
        kept, gone = gone, kept
    with ledger_transaction(workspace.ledger):
        persons.join([Link(gone, kept, JoinReason.BY_HAND, because)], at, by=who)
        detail = {"joined": gone, "because": because}
        workspace.audit_log.write(who, "joined", kept, detail, at)
    workspace.forget_facts()
    return kept


def split_people(workspace: Workspace, id_: str, *, because: str, who: str) -> tuple[str, str]:
    """Let a customer id be a person of its own again; return it and whom it left.

    What came with the id goes back with it; what neither may be sent, neither is sent.

    Raises:
        UsageError: the id goes by no other person, or is no text.
    """
    id_ = as_text(id_)
    persons, at = settled_persons(workspace), workspace.clock.now()
    before = persons.find([id_])[id_]
    with ledger_transaction(workspace.ledger):
        if before == id_ or not persons.part([id_], at, by=who):
            joined = [join.gone for join in persons.log(id_) if join.undone_at is None]
            told = f"; {', '.join(joined)} can be split from it" if joined else ""
            raise UsageError(f"{id_!r} goes by no other person{told}")
        detail = {"left": before, "because": because}
        workspace.audit_log.write(who, "split", id_, detail, at)
    workspace.forget_facts()
    return id_, before


def list_joins(workspace: Workspace, handle: str | None) -> list[Join]:
    """Return every join, or those a person took part in, the oldest first."""
    persons = settled_persons(workspace)
    return persons.log(None if handle is None else find_person(workspace, handle))


def _known(workspace: Workspace, handle: str) -> str:
    found = find_people(workspace, handle)
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(f"{handle!r} points at nobody in the facts or the ledger")
    return find_person(workspace, handle)


def _handles_of(workspace: Workspace, person: str) -> list[tuple[str, str]]:
    ids = sorted({person, *workspace.book.persons.ids_of(person)} - {""})
    found = [(HandleKind.CUSTOMER_ID.value, id_) for id_ in ids if not id_.startswith(" ")]
    found += [("anonymous_id", id_.strip()) for id_ in ids if id_.startswith(" ")]
    engine, facts = workspace.reading if workspace.has_facts else (None, None)
    handles = (facts.bookkeeping or {}).get("handles") if facts else None
    if engine is not None and handles is not None:
        rows = handles.filter(handles.customer_id.isin(ids)).select("kind", "value").distinct()
        told = engine.run(rows).to_pylist()
        found += sorted((row["kind"], row["value"]) for row in told)
    return found
