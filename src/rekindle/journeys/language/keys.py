"""The keys of steps, by which a touch is known for as long as its ledger lives.

A step without an ``id`` goes by its template or its word; one that is used again is
numbered, so that no two steps of a version share a key.
"""

from __future__ import annotations

from rekindle.journeys.language.document import Entry, refuse
from rekindle.journeys.language.values import named
from rekindle.journeys.language.words import NAME_PATTERN


class StepKeys:
    """Gives every step its key, once."""

    def __init__(self) -> None:
        self._given: dict[str, int] = {}
        self._derived: dict[str, int] = {}
        self._places: dict[str, int] = {}

    def give(self, entry: Entry) -> str:
        """Return the ``id`` that a person wrote, if no other step goes by it."""
        key = named(entry, NAME_PATTERN)
        if key in self._given:
            refuse(entry, f"the id {key!r} stands on line {self._given[key]} too; change one")
        if key in self._places:
            refuse(entry, _clash(key, f"the step on line {self._places[key]}"))
        self._given[key] = entry.line
        return key

    def derive(self, step: Entry, word: str) -> str:
        """Return the key of a step without an id: ``word``, or ``word#2`` and so on."""
        if word in self._given:
            refuse(step, _clash(word, f"the step with that id on line {self._given[word]}"))
        self._places.setdefault(word, step.line)
        self._derived[word] = self._derived.get(word, 0) + 1
        count = self._derived[word]
        return word if count == 1 else f"{word}#{count}"


def _clash(key: str, other: str) -> str:
    return f"this step and {other} would both be called {key!r}; give one another id"
