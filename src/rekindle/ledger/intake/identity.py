"""Who is who: ids that stand for another, resolved for a batch and remembered.

Every id points at its person directly, however it came to: when that person turns out to
be another one, all that pointed at them follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from rekindle.identity import JoinReason, Link
from rekindle.intake import Event, EventType
from rekindle.ledger.book.persons import Persons
from rekindle.ledger.intake_models import ANONYMOUS
from rekindle.ledger.queries import execute, fetch, instant_of, rows_of, text_of


def anonymous(id_: str) -> str:
    """Return how an anonymous id is kept among the others."""
    return ANONYMOUS + id_


class BatchLinks:
    """Whom the ids of one batch stand for, and what the batch itself adds.

    ``erased`` are the ids among them of people who asked to be forgotten, ``strangers`` the
    people who have no card yet. ``since`` says of visitors when it was said who they are.
    """

    def __init__(
        self,
        people: Mapping[str, str],
        *,
        given: Mapping[str, str],
        erased: Iterable[str],
        strangers: Iterable[str],
        since: Mapping[str, datetime],
    ) -> None:
        self._people = dict(people)
        self._given: dict[str, str | None] = dict(given)
        self._since = dict(since)
        self._new: dict[str, str] = {}
        self._left: set[str] = set()
        self.erased: frozenset[str | None] = frozenset(erased)
        self.strangers = frozenset(strangers)

    @classmethod
    def load(cls, alias: str, events: Iterable[Event]) -> BatchLinks:
        """Return what is known of the ids these events name."""
        return cls.of(alias, [id_ for event in events for id_ in _ids(event)])

    @classmethod
    def of(cls, alias: str, ids: Iterable[str]) -> BatchLinks:
        """Return what is known of these ids."""
        rows = fetch(alias, "known_ids", rows_of((id_,) for id_ in sorted(set(ids))))
        return cls(
            {id_: person for id_, person, *_ in rows if person is not None},
            given={id_: given for id_, *_, given, _ in rows if given is not None},
            erased=(id_ for id_, _, is_erased, *_ in rows if is_erased),
            strangers=(person or id_ for id_, person, _, is_stranger, *_ in rows if is_stranger),
            since={
                id_: instant_of(at)
                for id_, *_, at in rows
                if at is not None and id_.startswith(ANONYMOUS)
            },
        )

    @property
    def visitors(self) -> list[tuple[str, str]]:
        """Return the visitors that this batch gave a name, each with who they are."""
        return sorted(
            (id_.removeprefix(ANONYMOUS), self._people[id_])
            for id_ in self._new
            if id_.startswith(ANONYMOUS)
        )

    def is_about_erased(self, event: Event) -> bool:
        """Return whether an event names somebody who asked to be forgotten.

        A device they used may be another's by now, who says so.
        """
        if event.user_id is None:
            return anonymous(event.anonymous_id or "") in self.erased
        return not self.erased.isdisjoint((event.user_id, event.previous_id))

    def whose(self, event: Event) -> tuple[str | None, str | None]:
        """Return whose event it is, and the customer id it came under where that stands for them.

        It is learnt what the event says of ids that belong together.
        """
        if event.user_id is None:
            visitor = anonymous(event.anonymous_id or "")
            return self._people.get(visitor), self._given.get(visitor)
        if event.type is EventType.ALIAS and event.previous_id:
            if event.previous_id in self.strangers:
                # Nobody else knows what a visitor went by, but everybody may guess a customer's
                # id: whoever calls themselves so in a browser does not become the customer.
                self._name(event.previous_id, event.user_id, event.at)
            self.join(event.previous_id, event.user_id)
        if event.anonymous_id:
            self._name(event.anonymous_id, event.user_id, event.at)
        person = self._people.get(event.user_id, event.user_id)
        return person, None if person == event.user_id else event.user_id

    def _name(self, visitor: str, person: str, at: datetime) -> None:
        """Let a visitor be somebody, unless it was said later already who they are."""
        id_ = anonymous(visitor)
        known = self._since.get(id_)
        if known is None or known <= at:
            self._since[id_] = at
            self.join(id_, person)

    def join(self, other: str, person: str) -> None:
        """Let ``other``, and all that stood for it, stand for ``person``."""
        root = self._people.get(person, person)
        if other == root or self._people.get(other) == root:
            return
        if other in self._people:
            self._left.add(other)  # the newest word counts
        for id_, known in list(self._people.items()):
            if known == other:
                self._people[id_] = root
        self._people[other] = self._new[other] = root
        self._given[other] = person if person != root else None

    def save(self, alias: str, persons: Persons, at: datetime, *, by: str) -> None:
        """Write down what the batch added; customers it says are one become one."""
        if not self._new:
            return
        # In one order everywhere: two transactions that insert the same rows wait, not lock.
        new = sorted((id_, self._people[id_]) for id_ in self._new)
        former = [(id_, who) for id_, who in new if not id_.startswith(ANONYMOUS)]
        if former:
            if left := sorted(self._left.intersection(id_ for id_, _ in former)):
                persons.part(left, at, by=by)
            persons.join([Link(id_, who, JoinReason.ALIAS, "") for id_, who in former], at, by=by)
        if visitors := self.visitors:
            named = ((anonymous(id_), who) for id_, who in visitors)
            rows = rows_of(
                (id_, who, text_of(self._since.get(id_, at)), self._given.get(id_))
                for id_, who in named
            )
            execute(alias, "add_aliases", rows)
            execute(alias, "spool_again", rows_of((id_,) for id_, _ in visitors))


def _ids(event: Event) -> Iterable[str]:
    if event.user_id:
        yield event.user_id
    if event.anonymous_id:
        yield anonymous(event.anonymous_id)
    if event.previous_id:
        yield event.previous_id
        yield anonymous(event.previous_id)
