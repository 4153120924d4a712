"""Finds people by the addresses and numbers they have, many at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from django.db.models import Q

from rekindle.ledger import intake_models, models
from rekindle.ledger.hashing import Hashing
from rekindle.ledger.papers import load_suppressed
from rekindle.ledger.queries import ledger_errors
from rekindle.ledger.signals import LIFTED
from rekindle.messages import AddressKind
from rekindle.vocabulary import Channel, Purpose

AT_ONCE = 500  # parameters of one statement


class AddressBook:
    """Who has which address in one ledger. Every method raises LedgerError when it refuses."""

    def __init__(self, alias: str, *, secret: bytes) -> None:
        self._alias = alias
        self._hashing = Hashing(secret)

    @ledger_errors()
    def find_people(
        self, addresses: Collection[tuple[str, str]]
    ) -> dict[tuple[str, str], list[str]]:
        """Return who has each address (kind and value) now, for those that somebody has."""
        asked: defaultdict[str, dict[str, list[tuple[str, str]]]] = defaultdict(dict)
        for kind, value in set(addresses):
            if hashed := self._hashing.of(kind, value):
                asked[kind].setdefault(hashed, []).append((kind, value))
        found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for kind, by_hash in asked.items():
            for chunk in chunked(sorted(by_hash)):
                for hashed, person in sorted(self._holders(kind, chunk)):
                    for address in by_hash[hashed]:
                        found[address].append(person)
        return dict(found)

    def _holders(self, kind: str, hashes: Sequence[str]) -> set[tuple[str, str]]:
        """Return which of these hashes are of whom: on their card, or beside it."""
        column = "phone_hash" if kind == AddressKind.PHONE else "address_hash"
        cards = models.Person.objects.using(self._alias).filter(**{f"{column}__in": hashes})
        others = intake_models.SecondaryAddress.objects.using(self._alias)
        others = others.filter(kind=kind, hash__in=hashes)
        return {*cards.values_list(column, "id"), *others.values_list("hash", "person_id")}

    @ledger_errors()
    def is_suppressed(self, address: str) -> bool:
        """Return whether anybody with this address, or who had it, is not to be written to."""
        kinds = (AddressKind.EMAIL, AddressKind.PHONE)
        hashes = {self._hashing.of(kind, address) for kind in kinds} - {""}
        cards = models.Person.objects.using(self._alias)
        holders = cards.filter(Q(address_hash__in=hashes) | Q(phone_hash__in=hashes))
        mine = Q(address_hash__in=hashes) | Q(person__in=holders.values("pk"))
        rows = models.Suppression.objects.using(self._alias).exclude(channel=LIFTED)
        return rows.filter(mine).exists()

    @ledger_errors()
    def known_among(self, ids: Collection[str]) -> set[str]:
        """Return those of these people who are on record."""
        found: set[str] = set()
        for chunk in chunked(sorted(ids)):
            rows = models.Person.objects.using(self._alias).filter(pk__in=chunk)
            found.update(rows.values_list("pk", flat=True))
        return found


@ledger_errors()
def find_suppressed(
    alias: str, people: Collection[str], channels: Mapping[Channel, str], purpose: Purpose
) -> set[tuple[str, Channel]]:
    """Return on which of these channels (to the kind of their addresses) who is suppressed."""
    return {
        (person, channel)
        for person, bindings in load_suppressed(alias, sorted(people)).items()
        for channel, kind in channels.items()
        if any(one.binds(channel.value, kind, purpose.value) for one in bindings)
    }


def chunked(values: Sequence[str]) -> list[Sequence[str]]:
    """Return values in lists that a statement takes as its parameters."""
    return [values[begin : begin + AT_ONCE] for begin in range(0, len(values), AT_ONCE)]
