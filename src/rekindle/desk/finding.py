"""Finds a person by anything that points at them: an id, an address, a number."""

from __future__ import annotations

from rekindle.errors import UsageError
from rekindle.identity import HandleKind, international, normalise_address
from rekindle.ledger import Persons, hash_address
from rekindle.runtime import Workspace

FEW = 5


def find_person(workspace: Workspace, handle: str) -> str:
    """Return the person ``handle`` points at; itself where it points at nobody known.

    An id counts before an address, an address before a telephone or loyalty number.

    Raises:
        UsageError: it points at several persons.
    """
    found = find_people(workspace, handle)
    if len(found) > 1:
        listed = ", ".join(found[:FEW]) + (" …" if len(found) > FEW else "")
        raise UsageError(f"{handle!r} is of {len(found)} people: {listed}; name one of them")
    return found[0] if found else handle


def find_people(workspace: Workspace, handle: str) -> list[str]:
    """Return everybody a handle points at, by id.

    Raises:
        UsageError: it is no text, but bytes that a terminal handed over as they were.
    """
    text = as_text(handle)
    persons = settled_persons(workspace)
    by_id = persons.find([text])[text]
    if by_id != text or persons.live([text]) or _has_card(workspace, text):
        return [by_id]
    ids = set(workspace.history.people_at(hash_address(text, workspace.secret)))
    ids |= _in_facts(workspace, text)
    return sorted(set(persons.find(ids).values()))


def as_text(handle: str) -> str:
    """Return a handle without the white space around it.

    Raises:
        UsageError: it is no text, but bytes that a terminal handed over as they were.
    """
    text = handle.strip()
    if text.encode("utf-8", "replace").decode() != text:
        raise UsageError(f"{handle!a} is no text in UTF-8; write the id as the sources do")
    return text


def settled_persons(workspace: Workspace) -> Persons:
    """Return who is one person by the ledger, brought up to what the facts say."""
    persons = workspace.book.persons  # opens the ledger, so that it is asked from here on
    if workspace.has_facts:
        workspace.settle_persons()
    return persons


def _has_card(workspace: Workspace, id_: str) -> bool:
    if not workspace.has_facts:
        return False
    cards = workspace.facts.customers
    found = workspace.engine.run(cards.filter(cards.customer_id == id_).limit(1))
    return bool(found.num_rows)


def _in_facts(workspace: Workspace, text: str) -> set[str]:
    """Return the ids that ever came with this address or number."""
    handles = (workspace.facts.bookkeeping or {}).get("handles") if workspace.has_facts else None
    if handles is None:
        return set()
    spellings = {
        HandleKind.EMAIL: normalise_address(text) if "@" in text else "",
        HandleKind.PHONE: international(text),
        HandleKind.LOYALTY: text.lower(),
    }
    for kind, value in spellings.items():
        if not value:
            continue
        rows = workspace.engine.run(
            handles.filter((handles.kind == kind.value) & (handles.value == value))
            .select("customer_id")
            .distinct()
        )
        if rows.num_rows:
            return {row["customer_id"] for row in rows.to_pylist()}
    return set()
