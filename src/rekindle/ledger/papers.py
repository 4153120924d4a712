"""What is on file about people beside their enrolments, as the gate is told of it.

Both looks at a person read it here: the book's when a step is due, and the outbox's just
before a message leaves. So what one of them respects, the other does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

from rekindle.config import LONGEST_DURATION
from rekindle.consent import (
    Exclusion,
    Preferences,
)
from rekindle.gate import BookRules, Enrolment, PastEvent
from rekindle.journeys import exit_reason, is_exit
from rekindle.ledger.queries import fetch, instant_of, instant_or_none, names_of, rows_of, text_of
from rekindle.ledger.signals import EVERY
from rekindle.ledger.statements import sum_up
from rekindle.vocabulary import Arm, Channel, Purpose, Reason, SignalKind

ARMS = {arm.value: arm for arm in Arm}
NO_TIME = timedelta(0)
MOST_SECONDS = int(LONGEST_DURATION.total_seconds())

channel_of = cache(Channel)
"""The channel of a stored name; of few names, asked a million times."""

_KINDS = {kind.value for kind in SignalKind} - {SignalKind.EVENT.value}


class Binding(NamedTuple):
    """A suppression that binds a person: where, for what, and by which kind of address.

    ``kind`` is empty where it is the person who is bound, by whatever address.
    """

    channel: str
    purpose: str
    kind: str

    def binds(self, channel: str, kind: str, purpose: str) -> bool:
        """Return whether it binds a message of this purpose through this channel."""
        return (
            self.channel in (EVERY, channel)
            and self.purpose in (EVERY, purpose)
            and self.kind in ("", kind)
        )


@dataclass(frozen=True, slots=True)
class Papers:
    """What is on file about the people of one batch, by person.

    ``statements`` are as cards keep them; ``suppressed`` lists the suppressions that bind
    a person. ``withheld`` are those who get no marketing, to measure it.
    """

    statements: Mapping[str, str]
    suppressed: Mapping[str, Sequence[Binding]]
    wishes: Mapping[str, Preferences]
    exclusions: Mapping[str, Exclusion]
    events: Mapping[str, Sequence[PastEvent]]
    withheld: Collection[str] = ()

    def is_suppressed(self, person: str, channel: str, kind: str, purpose: Purpose) -> bool:
        """Return whether nothing of this purpose may reach a person through a channel.

        ``kind`` is the kind of address the channel writes to.
        """
        found = self.suppressed.get(person)
        return found is not None and any(one.binds(channel, kind, purpose.value) for one in found)


def load_statements(alias: str, people: Collection[str], at: datetime) -> dict[str, str]:
    """Return what people had stated by ``at``, as their cards keep it."""
    rows = fetch(alias, "statements_of", _batch(people)) if people else ()
    return sum_up(row for row in rows if instant_of(row[3]) <= at)


def load_suppressed(alias: str, people: Collection[str]) -> dict[str, list[Binding]]:
    """Return what binds people, or the addresses they have now, for those it does."""
    batch = _batch(people)
    found: defaultdict[str, list[Binding]] = defaultdict(list)
    for person, *binding in fetch(alias, "suppressed_of", batch, batch, batch) if people else ():
        found[person].append(Binding(*binding))
    return found


def load_wishes(alias: str, people: Collection[str]) -> dict[str, Preferences]:
    """Return what people asked for beside "never", for those who did."""
    rows = fetch(alias, "wishes_of", _batch(people)) if people else ()
    return {
        person: Preferences(
            snoozed_until=instant_or_none(snoozed_until),
            muted_topics=frozenset(names_of(topics)),
            at_most_every=None if seconds is None else _bounded(seconds),
        )
        for person, snoozed_until, topics, seconds in rows
    }


def load_exclusions(alias: str, people: Collection[str], at: datetime) -> dict[str, Exclusion]:
    """Return why the business chose not to write to people, for those it excludes at ``at``."""
    now = text_of(at)
    rows = fetch(alias, "exclusions_of", _batch(people), now, now) if people else ()
    return {person: Exclusion(kind) for person, kind in rows}


def load_withheld(alias: str, people: Collection[str], terms: BookRules) -> frozenset[str]:
    """Return those of people who are in the holdout of all marketing, while there is one."""
    if not people or terms.holdout.share <= 0:
        return frozenset()
    return frozenset(person for (person,) in fetch(alias, "withheld_of", _batch(people)))


def load_events(
    alias: str, query: str, people: Collection[str], *, asked: Collection[str], edge: datetime
) -> dict[str, list[PastEvent]]:
    """Return what people did of the events ``asked`` about, in the order the query has.

    ``edge`` is the instant since when, or until when, the query looks.
    """
    kinds = {kind_of(event).value for event in asked}
    words, when = rows_of((word,) for word in sorted(kinds.union(asked))), text_of(edge)
    found: defaultdict[str, list[PastEvent]] = defaultdict(list)
    for person, kind, name, at in fetch(alias, query, _batch(people), words, when, when):
        if (event := event_of(kind, name)) in asked:
            found[person].append(PastEvent(event, instant_of(at)))
    return found


def _bounded(seconds: int) -> timedelta:
    """Return a duration that can be taken from any instant, whatever was once written."""
    return timedelta(seconds=min(seconds, MOST_SECONDS))


def kind_of(event: str) -> SignalKind:
    """Return the kind of an event as a journey names it; EVENT if it is the shop's own."""
    return SignalKind(event) if event in _KINDS else SignalKind.EVENT


def event_of(kind: str, name: str) -> str:
    """Return the event a signal tells of, as a journey names it."""
    return name if kind == SignalKind.EVENT.value else kind


def exit_by(
    events: Iterable[PastEvent], enrolment: Enrolment, exits: Collection[str]
) -> Reason | None:
    """Return why the first of ``events`` that ends an enrolment ends it, or None."""
    for one in events:
        if is_exit(
            one.event,
            one.at,
            exits=exits,
            entered_at=enrolment.entered_at,
            last_order_at=enrolment.last_order_at,
        ):
            return exit_reason(one.event)
    return None


def counted_since(terms: BookRules, wishes: Iterable[Preferences], at: datetime) -> datetime:
    """Return since when a send may count towards a cap: the house's or one wished for."""
    own = (wish.at_most_every or NO_TIME for wish in wishes)
    return at - max(terms.longest_window, *own, NO_TIME)


def _batch(people: Collection[str]) -> str:
    return rows_of((person,) for person in people)
