"""Takes an erased person's words out of every text of the ledger that may repeat them.

Their card and reports are emptied elsewhere. But a mail server repeats an address in its
reply, a form repeats a name in the words of a consent, and a client may call a report by
an address. Ids stay: by them a person who was erased is recognised.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any

from django.db.models import Model, QuerySet

from rekindle.ledger import intake_models, models
from rekindle.ledger.queries import Row, ledger_errors
from rekindle.messages import hide_words, name_address

# What is not worth hiding, and would make a text unreadable: initials, "GB", "no".
SHORTEST = 3
TRAITS = ("email", "phone", "first_name", "last_name", "firstName", "lastName", "name")
# Texts that have to stay different from each other.
KEYS = frozenset({(models.Signal, "key"), (intake_models.Event, "message_id")})
TEXTS: Mapping[type[Model], tuple[str, ...]] = {
    models.Consent: ("source", "wording"),
    models.PendingConsent: ("source", "wording"),
    models.Suppression: ("reason",),
    models.Signal: ("key", "name"),
    models.Touch: ("last_error", "provider_id", "leased_by"),
    models.AuditEntry: ("detail",),
    models.Task: ("note",),
    models.Stay: ("last_error",),
    intake_models.Event: ("message_id", "name", "subject", "deed"),
}


def private_words(alias: str, person: str, reports: Iterable[Row]) -> list[str]:
    """Return what the card and the reports say of a person, the longest first.

    ``reports`` are rows of ``reports_of``, before they are emptied.
    """
    card = models.Person.objects.using(alias).filter(pk=person).first()
    found = set(_strings([card.address, card.phone, card.properties] if card else []))
    listed = models.Address.objects.using(alias).filter(person=person)
    found |= {name_address(kind, value) for kind, value in listed.values_list("kind", "value")}
    for _, _, payload in reports:
        given = json.loads(payload)
        for place in ("traits", "properties", "context"):
            held = given.get(place)
            traits = held.get("traits", held) if isinstance(held, dict) else {}
            if isinstance(traits, dict):
                found |= set(_strings(traits.get(name) for name in TRAITS))
    return sorted((word for word in found if len(word) >= SHORTEST), key=len, reverse=True)


def forget_words(alias: str, person: str, words: Iterable[str], reports: Iterable[int]) -> None:
    """Take these words out of every text about a person, in the caller's transaction."""
    wanted = list(words)
    for rows, names in _rows_about(alias, person, reports):
        for row in rows.only("pk", *names):
            changed = _changed(row, names, wanted)
            if changed:
                rows.model._default_manager.using(alias).filter(pk=row.pk).update(**changed)


def forget_notices(alias: str, person: str) -> None:
    """Empty what a biller said of a person, in the caller's transaction; that it came stays."""
    others = intake_models.Alias.objects.using(alias).filter(person=person)
    ids = [person, *others.values_list("pk", flat=True)]
    rows = intake_models.BillerNotice.objects.using(alias).filter(customer__in=ids)
    rows.exclude(statements="").update(statements="")


@ledger_errors()
def erased_ids(alias: str) -> list[str]:
    """Return the ids of everyone who was erased, and those that stand for one of them."""
    erased = models.Person.objects.using(alias).filter(erased_at__isnull=False)
    people = set(erased.values_list("pk", flat=True))
    aliases = intake_models.Alias.objects.using(alias).filter(person__in=people)
    return sorted(people | set(aliases.values_list("pk", flat=True)))


def _rows_about(
    alias: str, person: str, reports: Iterable[int]
) -> Iterator[tuple[QuerySet[Any], tuple[str, ...]]]:
    for model, names in TEXTS.items():
        rows: QuerySet[Any] = model._default_manager.using(alias)
        if model is models.AuditEntry:
            rows = rows.filter(subject=person)
        elif model is intake_models.Event:
            rows = rows.filter(pk__in=list(reports))
        else:
            rows = rows.filter(person=person)
        yield rows, names


def _changed(row: Model, names: Iterable[str], words: list[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name in names:
        before = getattr(row, name)
        if not before:
            continue
        if isinstance(row, models.Touch) and name == "last_error":
            found[name] = ""
            continue
        after = _hidden(before, words)
        if after != before:
            is_key = (type(row), name) in KEYS
            found[name] = _digest(before) if is_key else after
    return found


def _hidden(value: Any, words: list[str]) -> Any:
    if isinstance(value, str):
        return hide_words(value, words)
    if isinstance(value, dict):
        return {name: _hidden(one, words) for name, one in value.items()}
    if isinstance(value, list):
        return [_hidden(one, words) for one in value]
    return value


def _digest(text: str) -> str:
    return "erased:" + sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _strings(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield re.sub(r"\s+", " ", value).strip()
        elif isinstance(value, dict):
            yield from _strings(value.values())
