"""Addresses of which somebody may have several: push subscriptions, devices, postal addresses.

There is one row for each listed address. Whoever was seen with it last has it, for a browser
or a phone is handed on, and what is meant for one person must not reach the next. What is no
address any more is retired by the first message that finds it so, and comes back only when it
is seen again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from rekindle.ledger import models
from rekindle.ledger.hashing import Hashing
from rekindle.ledger.queries import execute, fetch, ledger_transaction, rows_of, text_of
from rekindle.ledger.signals import know_people
from rekindle.messages import LISTED, SHARED, Address, AddressKind, name_address

CHUNK = 5000


class Given(NamedTuple):
    """An address of somebody, since when it is known to be theirs, and by which id of theirs."""

    person: str
    at: datetime
    kind: str
    value: str
    given: str = ""


class Held(NamedTuple):
    """An address as it is on file, and its keyed hash."""

    value: str = ""
    hash: str = ""


NOWHERE = Held()


def hash_of(hashing: Hashing, person: str, kind: str, value: str) -> str:
    """Return the keyed hash that tells an address from others; of a shared kind, by person."""
    name = name_address(kind, value)
    return hashing.of_text(f"{kind}|{person}|{name}" if kind in SHARED else f"{kind}|{name}")


def save_addresses(alias: str, hashing: Hashing, given: Iterable[Given]) -> None:
    """Let addresses be of whom they were given as, unless something newer is known."""
    newest: dict[tuple[str, str], Given] = {}
    for one in sorted(given, key=lambda one: one.at):
        newest[one.kind, hash_of(hashing, one.person, one.kind, one.value)] = one
    if not newest:
        return
    # In one order everywhere: two that write the same rows wait, not lock.
    rows = [
        (one.person, kind, one.value, hashed, text_of(one.at), one.given or None)
        for (kind, hashed), one in sorted(newest.items())
    ]
    with ledger_transaction(alias):
        know_people(alias, (one.person for one in newest.values()))
        execute(alias, "save_addresses", rows_of(rows))


def load_addresses(alias: str, people: Collection[str], kind: str) -> dict[str, Held]:
    """Return the address of a kind that each of these people was seen with last."""
    if kind not in LISTED or not people:
        return {}
    rows = fetch(alias, "addresses_of", rows_of((one,) for one in sorted(people)), kind)
    return {person: Held(value, hashed) for person, value, hashed in rows}


def load_address(alias: str, person: models.Person, kind: str) -> Address:
    """Return where one person is written to by a channel of this kind."""
    held = load_addresses(alias, [person.pk], kind).get(person.pk, NOWHERE)
    return address_of(
        kind, person=person.pk, email=person.address, phone=person.phone, listed=held.value
    )


def address_of(
    kind: str, *, person: str, email: str | None, phone: str | None, listed: str
) -> Address:
    """Return the address of a kind, of those somebody has."""
    if kind == AddressKind.EMAIL:
        return Address(kind, email or "")
    if kind == AddressKind.PHONE:
        return Address(kind, phone or "")
    if kind in LISTED:
        return Address(kind, listed)
    return Address(kind, person if kind == AddressKind.PERSON else "")


def retire_address(alias: str, kind: str, hashed: str, at: datetime, reason: str) -> None:
    """Write down that an address is none any more, in the caller's transaction."""
    rows = models.Address.objects.using(alias).filter(kind=kind, hash=hashed, retired_at=None)
    rows.update(retired_at=at, reason=reason, value="")


def rehash_addresses(alias: str, hashing: Hashing) -> None:
    """Hash every address by another secret; of a retired one nothing is left to hash."""
    models.Address.objects.using(alias).exclude(retired_at=None).delete()
    rows = models.Address.objects.using(alias).order_by("pk")
    last = 0
    while chunk := list(rows.filter(pk__gt=last)[:CHUNK]):
        fresh = [(a.pk, hash_of(hashing, a.person_id, a.kind, a.value)) for a in chunk]
        execute(alias, "rehash_addresses", rows_of(fresh))
        last = chunk[-1].pk
