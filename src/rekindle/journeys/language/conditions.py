"""Conditions and events of a journey file: who people are, and what they do.

Conditions are checked when the file is read, so that a column that does not exist is
found with its line and not by the first person who gets there.
"""

from __future__ import annotations

import re
from collections.abc import Hashable

from rekindle.audiences import BEHAVIOURS, behaviours_in, is_never, parse_predicate
from rekindle.config import EVENT_PATTERN
from rekindle.errors import PredicateError
from rekindle.journeys.language.document import Entry, Items, refuse, suggest
from rekindle.journeys.language.values import as_list, filled
from rekindle.journeys.language.words import (
    ALWAYS_EXITS,
    MAX_NAME,
    ORDER_WORDS,
    date_columns,
)
from rekindle.profiles import FAMILIES


def read_audience(entry: Entry) -> str:
    """Return a condition over the profile alone that somebody can meet."""
    return _checked(entry, filled(entry), allow_behaviours=False)


def read_condition(entry: Entry, exits: frozenset[str]) -> str:
    """Return a condition over the profile, and what the person did since entering.

    Whoever did what is in ``exits`` has left the journey, so nobody is asked about it.
    """
    text = _checked(entry, filled(entry), allow_behaviours=True)
    events = behaviours_in(text)
    for word in sorted(events.intersection(ORDER_WORDS)):
        refuse(entry, f"{word!r} is called 'order' here; write that")
    refuse_exits(entry, events, exits.union(ALWAYS_EXITS))
    return text


def refuse_exits(entry: Entry, events: frozenset[str], exits: frozenset[str]) -> None:
    """Refuse to ask for, or to wait for, an event that ends the journey."""
    for event in sorted(events & exits):
        refuse(
            entry,
            f"{event!r} ends this journey, so nobody goes on who did it; remove it here or "
            "name other events under 'exit'",
        )


def narrow(entry: Entry, condition: str, audience: str) -> str:
    """Return ``condition`` for those who meet ``audience`` too."""
    end = "\n" if "--" in audience else ""  # a comment goes on to the end of its line
    return _checked(entry, f"{condition} and ({audience}{end})", allow_behaviours=False)


def meaning(condition: str) -> Hashable:
    """Return a key that is the same for conditions which differ only in how they are laid out."""
    return parse_predicate(condition, allow_behaviours=True).tree


def is_always(condition: str) -> bool:
    """Return whether the condition is the plain word ``true``."""
    return condition.lower() == "true"


def read_event(entry: Entry) -> str:
    """Return the name of an event; a word for behaviour stands for its event."""
    word = filled(entry)
    if word in ALWAYS_EXITS:
        refuse(entry, f"{word!r} always ends a journey; leave it out")
    if word in ORDER_WORDS:
        refuse(entry, f"{word!r} is called 'order' here; write that")
    event = BEHAVIOURS.get(word, word)
    if len(event) > MAX_NAME or re.fullmatch(EVENT_PATTERN, event) is None:
        refuse(
            entry,
            f"{word!r} is no event; write small letters, digits and underscores, "
            "beginning with a letter, like cart_abandoned",
        )
    return event


def read_events(entry: Entry) -> frozenset[str]:
    """Return the names of one event or of a list of them."""
    if isinstance(entry, Items):
        listed = as_list(entry, "name an event, such as [visit, cart_abandoned]")
        return frozenset(read_event(item) for item in listed)
    return frozenset({read_event(entry)})


def read_date_column(entry: Entry) -> str:
    """Return the name of a profile column that holds a date."""
    column = filled(entry)
    dates = date_columns()
    if column not in FAMILIES.names:
        refuse(entry, f"unknown column {column!r}{suggest(column, dates)}")
    if column not in dates:
        refuse(entry, f"{column!r} is no date; the dates are {', '.join(dates)}")
    return column


def _checked(entry: Entry, text: str, *, allow_behaviours: bool) -> str:
    try:
        parse_predicate(text, allow_behaviours=allow_behaviours)
        can_be_met = not is_never(text)
    except PredicateError as error:
        refuse(entry, str(error))
    if not can_be_met:
        refuse(entry, f"nobody can ever meet {text!r}; correct it or remove this part")
    return text
