"""How far a ledger has come, told by a row in it and a file outside that say the same.

Beside the mark stand the questions by which what people refused is carried out of the
ledger, and back into an older copy of it.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rekindle.ledger import models
from rekindle.ledger.guards.models import Mark
from rekindle.ledger.intake_models import ANONYMOUS, Alias
from rekindle.ledger.queries import ledger_errors, ledger_transaction
from rekindle.ledger.signals import know_people
from rekindle.ledger.statements import note_people

TOKEN_BYTES = 16
CHUNK = 10_000
AT_ONCE = 500
IMPORTED = "import:"
Columns = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MarkEntry:
    """What the ledger says of one mark: how often it was set, and the token of the last time."""

    id: str
    number: int
    token: str


def draw_token() -> str:
    """Return a word that nobody drew before."""
    return secrets.token_hex(TOKEN_BYTES)


@ledger_errors()
def load_mark(alias: str, id_: str) -> MarkEntry | None:
    """Return what the ledger says of a mark; None if it does not know it."""
    row = Mark.objects.using(alias).filter(pk=id_).first() if id_ else None
    return None if row is None else MarkEntry(row.pk.hex, row.number, row.token)


@ledger_errors()
def has_marks(alias: str) -> bool:
    """Return whether any mark of this ledger was ever set."""
    return Mark.objects.using(alias).exists()


def set_mark(alias: str, id_: str, *, after: int, at: datetime) -> MarkEntry:
    """Give a mark its next number, beyond ``after``, and a new token."""
    with ledger_transaction(alias):
        rows = Mark.objects.using(alias)
        row = rows.select_for_update().filter(pk=id_).first()
        number = max(row.number if row else 0, after) + 1
        entry = MarkEntry(id_, number, draw_token())
        rows.update_or_create(
            pk=id_, defaults={"number": entry.number, "token": entry.token, "at": at}
        )
    return entry


@ledger_errors()
def suppressions_since(alias: str, after: int) -> list[tuple[str | None, Columns]]:
    """Return (person, columns) of the suppressions beyond this number."""
    rows = models.Suppression.objects.using(alias).filter(pk__gt=after).order_by("pk")
    names = _columns()
    found = rows.values_list("person_id", *names)
    return [(person, dict(zip(names, told, strict=True))) for person, *told in found]


def add_suppressions(alias: str, rows: Iterable[tuple[str | None, Columns]]) -> int:
    """Add suppressions that are not there; return how many rows were given.

    The ones of nobody bind the address alone.
    """
    given = list(rows)
    people = {person for person, _ in given if person is not None}
    made = [models.Suppression(person_id=person, **_read(row)) for person, row in given]
    with ledger_transaction(alias):
        know_people(alias, people)
        models.Suppression.objects.using(alias).bulk_create(made, ignore_conflicts=True)
        note_people(alias, people)
    return len(given)


@ledger_errors()
def withdrawals_since(alias: str, after: int) -> list[tuple[str, Columns]]:
    """Return (person, columns) of withdrawals beyond this number that no file states."""
    rows = models.Consent.objects.using(alias).filter(pk__gt=after, granted=False)
    rows = rows.exclude(source__startswith=IMPORTED).order_by("pk")
    return [
        (person, {"channel": channel, "at": at, "source": source})
        for person, channel, at, source in rows.values_list("person_id", "channel", "at", "source")
    ]


@ledger_errors()
def audit_entries_since(
    alias: str, after: int, actions: Collection[str]
) -> list[models.AuditEntry]:
    """Return the entries of the audit log beyond this number, of these actions."""
    rows = models.AuditEntry.objects.using(alias).filter(pk__gt=after, action__in=actions)
    return list(rows.order_by("pk"))


def ids_of(alias: str, people: Iterable[str]) -> Mapping[str, list[str]]:
    """Return the other customer ids that stand for each of these people, where there are any."""
    found: dict[str, list[str]] = {}
    asked = sorted(set(people))
    for begin in range(0, len(asked), AT_ONCE):
        with ledger_errors():
            rows = Alias.objects.using(alias).filter(person__in=asked[begin : begin + AT_ONCE])
            named = rows.exclude(id__startswith=ANONYMOUS).order_by("id")
            for person, id_ in named.values_list("person", "id"):
                if id_ != person:
                    found.setdefault(person, []).append(id_)
    return found


def everybody(alias: str) -> Iterator[str]:
    """Yield the id of everyone who has a card, in order."""
    last = ""
    while True:
        with ledger_errors():
            rows = models.Person.objects.using(alias).filter(pk__gt=last).order_by("pk")
            found = list(rows.values_list("pk", flat=True)[:CHUNK])
        if not found:
            return
        yield from found
        last = found[-1]


def _read(row: Columns) -> dict[str, Any]:
    """Return columns as the table takes them, without those it does not have any more."""
    fields = {field.attname: field for field in models.Suppression._meta.concrete_fields}
    there = set(_columns()) & row.keys()
    return {name: fields[name].to_python(row[name]) for name in there}


def _columns() -> list[str]:
    """Return the columns of a suppression but its number and its person."""
    names = [field.attname for field in models.Suppression._meta.concrete_fields]
    return [name for name in names if name not in {"id", "person_id"}]
