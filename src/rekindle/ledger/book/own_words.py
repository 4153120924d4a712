"""What people said of themselves, which no file takes back by repeating itself.

A field that somebody gave is kept with what stood there before. A file that still says
that, or what the person says now, says nothing new; a third value is newer than both,
and counts.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from rekindle.errors import LedgerError
from rekindle.journeys import Person
from rekindle.ledger.queries import Row, execute, fetch, rows_of

FIELDS = ("address", "phone", "country", "timezone")
NAMES = ("first_name", "last_name")
UNREAD = "?"
"""What stood there before, where that has to be read again: whatever a file says next."""


class Said(NamedTuple):
    """That a field was given: when, what stood there before, and under which id.

    ``given`` is "" for the person's own.
    """

    at: str
    before: str | None
    given: str = ""


logger = logging.getLogger(__name__)


@dataclass(slots=True)
class OwnCard:
    """A card as it is held. ``said`` is what of it the person gave, by field."""

    person: Person
    said: dict[str, Said] = field(default_factory=dict)

    def give(self, given: Mapping[str, str], at: datetime, *, by: str = "") -> None:
        """Take what the person says of themselves, but for what they said later."""
        now, changed = at.isoformat(), dict[str, str | None]()
        for name, value in given.items():
            # Also what stands there already: an older word that arrives later is none.
            told = self.said.get(name, Said("", value_of(self.person, name)))
            if now >= told.at:
                changed[name] = value
                self.said[name] = Said(now, told.before, by)
        if changed:
            self.person = with_values(self.person, changed)

    def take(self, told: Person) -> Person:
        """Return the card after a file told of it: what is only repeated changes nothing."""
        for name, said in list(self.said.items()):
            before = said.before
            own, value = value_of(self.person, name), value_of(told, name)
            if value in (None, before, own):
                told = with_values(told, {name: own})
            elif before == UNREAD:
                told = with_values(told, {name: own})
                self.said[name] = said._replace(before=value)
            else:
                del self.said[name]
        return told

    @property
    def text(self) -> str:
        """Return ``said`` as a column keeps it."""
        return json.dumps(self.said, ensure_ascii=False) if self.said else ""


def load_own_cards(alias: str, people: Iterable[str]) -> dict[str, OwnCard]:
    """Return the cards of those of ``people`` who gave a part of it, held until the commit."""
    batch = rows_of((person,) for person in sorted(set(people)))
    return {row[0]: read_own_card(row) for row in fetch(alias, "cards_of_their_own", batch)}


def read_own_card(row: Row) -> OwnCard:
    """Return a row of id, address, country, timezone, properties, phone and said as a card.

    What is damaged is nobody's word, and the next file fills it.
    """
    id_, address, country, timezone, properties, phone, said = row
    named, given = _object(properties) or {}, _object(said or "{}") or {}
    found = {name: Said(*one) for name, one in given.items()}
    return OwnCard(Person(id_, address, country, timezone, named, phone), found)


def read_properties(given: Any) -> dict[str, str]:
    """Return the properties of a card as a statement returns them: SQLite as text."""
    found = _object(given)
    return Unreadable() if found is None else found


class Unreadable(dict[str, str]):
    """The names on a card that is damaged: nothing is in it, and whoever asks is told."""

    def get(self, *_: Any) -> Any:
        """Refuse.

        Raises:
            LedgerError: always.
        """
        raise LedgerError("the names on this person's card cannot be read; mend or remove them")


def _object(given: Any) -> dict[str, Any] | None:
    try:
        found = json.loads(given) if isinstance(given, str) else given
    except ValueError:
        found = None
    if not isinstance(found, dict):
        logger.error("a part of a card cannot be read: %.80r", given)
        return None
    return found


def note_said(alias: str, cards: Iterable[OwnCard]) -> None:
    """Write which fields people gave themselves."""
    rows = [(card.person.id, card.text) for card in cards]
    if rows:
        execute(alias, "note_said", rows_of(sorted(rows)))


def value_of(person: Person, name: str) -> str | None:
    """Return a field of a card, None where it is empty."""
    found: Any = person.properties.get(name) if name in NAMES else getattr(person, name)
    return found or None


def with_values(person: Person, values: Mapping[str, str | None]) -> Person:
    """Return a card with other values of these fields."""
    named = {key: kept for key, kept in person.properties.items() if key not in values}
    named |= {name: value for name, value in values.items() if name in NAMES and value}
    fields: dict[str, Any] = {name: values[name] for name in values if name not in NAMES}
    return replace(person, properties=named, **fields)
