"""What a card says of what else is on file about its person.

A look at a million people reads cards anyway; that a person never stated, wished or
suffered anything is read there, instead of in four more tables. Whoever writes to those
tables comes here, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache

from rekindle.ledger.queries import Row, execute, fetch, instant_of, rows_of, text_of
from rekindle.vocabulary import Channel

MISREAD = "-"
"""What the channel of a statement begins with that was misread: it is none, and no statement."""


def sum_up(rows: Iterable[Row]) -> dict[str, str]:
    """Return the last of each person's statements about each channel: ``email+`` for a yes.

    ``rows`` are (person, channel, granted, ...) in the order of the statements.
    """
    found: dict[str, dict[str, str]] = {}
    for person, channel, granted, *_ in rows:
        found.setdefault(person, {})[channel] = "+" if granted else "-"
    return {
        person: " ".join(channel + mark for channel, mark in marks.items())
        for person, marks in found.items()
    }


@lru_cache
def last_word(statements: str, channel: Channel) -> bool | None:
    """Return whether the last of what ``sum_up`` returned for a channel is a yes, or None."""
    for mark in statements.split():
        if mark[:-1] == channel.value:
            return mark[-1] == "+"
    return None


def last_words(statements: str) -> dict[str, bool]:
    """Return whether the last of what ``sum_up`` returned for each channel is a yes."""
    return {mark[:-1]: mark[-1] == "+" for mark in statements.split()}


def sum_consents_up(alias: str, people: Collection[str]) -> None:
    """Write on their cards what people stated, after records of theirs were added."""
    batch = _hold_cards(alias, people)
    # A second statement, so that it sees what others committed while the first one waited.
    rows = fetch(alias, "statements_of", batch)
    newest = {person: text_of(instant_of(at)) for person, _, _, at in rows}
    marks = sum_up(rows)
    # Of whom all that was said was misread, nothing is left.
    summed = ((who, marks.get(who, ""), newest.get(who)) for who in sorted(set(people)))
    execute(alias, "sum_consents_up", rows_of(summed))


def note_people(alias: str, people: Collection[str]) -> None:
    """Write on their cards that there is a suppression, a preference or an exclusion."""
    execute(alias, "note_people", _hold_cards(alias, people))


def _hold_cards(alias: str, people: Collection[str]) -> str:
    batch = rows_of((person,) for person in sorted(set(people)))
    fetch(alias, "hold_cards", batch)
    return batch
