"""What people said of themselves follows a join, and goes back with the id they said it by."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence

from rekindle.ledger.book.own_words import (
    FIELDS,
    NAMES,
    UNREAD,
    OwnCard,
    Said,
    load_own_cards,
    note_said,
    read_own_card,
    value_of,
    with_values,
)
from rekindle.ledger.book.persons.rows import Pair
from rekindle.ledger.queries import Row, execute, fetch, rows_of


def follow_words(alias: str, pairs: Sequence[Pair]) -> None:
    """Let what each first person said of themselves be said by the second; the newer word stands.

    Both cards are held, and neither is emptied yet.
    """
    own = load_own_cards(alias, (gone for gone, _ in pairs))
    if not own:
        return
    to = {gone: kept for gone, kept in pairs if gone in own}
    cards = _cards(alias, to.values())
    for gone, kept in sorted(to.items()):
        mine, theirs = own[gone], cards[kept]
        taken = []
        for name, said in mine.said.items():
            value, other = value_of(mine.person, name), theirs.said.get(name)
            if value is None or (other is not None and other.at > said.at):
                continue
            before = value_of(theirs.person, name) if other is None else other.before
            theirs.person = with_values(theirs.person, {name: value})
            theirs.said[name] = Said(said.at, before, said.given or gone)
            taken.append(name)
        # One by one: a later person of the same pair of cards copies over an earlier one.
        execute(alias, "copy_fields", rows_of([(gone, *_asked(kept, taken, theirs))]))
    note_said(alias, cards.values())


def return_words(alias: str, given: Sequence[tuple[str, str, str]]) -> None:
    """Let what was said under ids go with who leaves; what stood there before is read again.

    ``given`` are (id, who leaves with it, whom they leave).
    """
    own = load_own_cards(alias, (kept for _, _, kept in given))
    if not own:
        return
    leaves = {(id_, kept): gone for id_, gone, kept in given}
    cards = _cards(alias, (gone for _, gone, kept in given if kept in own))
    for kept, theirs in sorted(own.items()):
        back: dict[str, list[str]] = {}
        for name, said in theirs.said.items():
            if (gone := leaves.get((said.given, kept))) is not None:
                back.setdefault(gone, []).append(name)
        for gone, names in sorted(back.items()):
            mine = cards[gone]
            for name in names:
                mine.person = with_values(mine.person, {name: value_of(theirs.person, name)})
                mine.said[name] = Said(theirs.said.pop(name).at, UNREAD)
                theirs.person = with_values(theirs.person, {name: None})
            execute(alias, "copy_fields", rows_of([(kept, *_asked(gone, names, mine))]))
            execute(alias, "clear_fields", rows_of([_asked(kept, names, theirs)]))
    note_said(alias, [*own.values(), *cards.values()])


def _cards(alias: str, people: Iterable[str]) -> dict[str, OwnCard]:
    rows = fetch(alias, "cards_to_change", rows_of((one,) for one in sorted(set(people))))
    return {row[0]: read_own_card(row) for row in rows}


def _asked(person: str, names: Collection[str], card: OwnCard) -> Row:
    """Return a row that names the fields that change, and the names as they are then."""
    properties = {k: v for k, v in card.person.properties.items() if k not in NAMES or v}
    return (person, *(name in names for name in FIELDS), json.dumps(properties))
