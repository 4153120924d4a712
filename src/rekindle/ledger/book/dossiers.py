"""Reads people who are due, with everything the gate needs to know of them.

One statement a lane says most of it. What few people have (earlier touches, wishes,
suppressions, events) is fetched for those few, in one statement each.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from rekindle.consent import NO_PREFERENCES, Preferences
from rekindle.errors import RekindleError
from rekindle.gate import (
    Bearing,
    BookRules,
    Dossier,
    DossierBuilder,
    Enrolment,
    OnFile,
    PastEvent,
    Sent,
    build_unreadable,
)
from rekindle.identity import is_dialable
from rekindle.journeys import Journey, Send, events_asked
from rekindle.ledger.book.addresses import load_addresses
from rekindle.ledger.bulk import moment_reader, read_rows
from rekindle.ledger.offers.reading import HeldOffer, load_past_offers
from rekindle.ledger.papers import (
    ARMS,
    NO_TIME,
    Papers,
    channel_of,
    counted_since,
    exit_by,
    load_events,
    load_exclusions,
    load_statements,
    load_suppressed,
    load_wishes,
    load_withheld,
)
from rekindle.ledger.queries import Row, fetch, instant_of, rows_of, text_of
from rekindle.ledger.statements import last_word
from rekindle.ledger.versions import Versions
from rekindle.messages import LISTED, AddressKind
from rekindle.offers import PastOffer
from rekindle.vocabulary import Arm, Channel, Purpose, Reason, SignalKind

_PENDING = frozenset({"queued", "leased", "sending"})
_COUNTED = frozenset({"accepted", "unknown"})
GHOST = "ghost"
UNSUMMED = "?"  # in place of statements of which some are yet to come
UNTOUCHED: frozenset[str] = frozenset()

logger = logging.getLogger(__name__)

AsInstant = Callable[[Any], datetime]


class Due(NamedTuple):
    """One due enrolment: its number, its dossier, and its steps that are touched.

    ``may_be_given`` says that the step it stands at may give an offer; ``tested`` is that
    step where the person may have been given a variant of it before.
    """

    number: int
    dossier: Dossier
    touched: frozenset[str]
    may_be_given: bool = False
    tested: str = ""


class _Line(NamedTuple):
    """One row of ``due_in_lane``, its columns in order."""

    number: int
    person: str
    journey: str
    version: int
    rotation: int
    arm: str
    entered_at: Any
    last_order_at: Any
    position: int
    ready_at: Any
    due_at: Any
    wakes_on: str
    country: str | None
    timezone: str | None
    phone: str | None
    has_address: bool
    is_erased: bool
    consents: str
    ordered_at: Any
    may_be_suppressed: bool
    has_touches: bool
    is_noted: bool


@dataclass(frozen=True, slots=True)
class _Course:
    """What a version means for whoever is in it.

    ``channels`` are those of its steps, each with the kind of address it writes to; of a
    step that writes nothing, those of the first that does. ``giving`` are the places of
    those that give an offer, ``tested`` the steps with variants, by their places.
    """

    purpose: Purpose
    exits: frozenset[str]
    channels: tuple[tuple[Channel, str], ...]
    asks: frozenset[str]
    giving: frozenset[int]
    tested: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class _Touch:
    """An earlier touch of a person; ``left_at`` is when it counts, None if not at all."""

    enrolment: int
    step: str
    is_ghost: bool
    at: datetime
    sent: Sent | None


class DueReader:
    """Reads who is due in one ledger. Belongs to one book."""

    def __init__(self, alias: str, versions: Versions, terms: BookRules) -> None:
        self._alias = alias
        self._versions = versions
        self._terms = terms
        self._courses: dict[tuple[str, int], _Course] = {}

    def read_lane(self, lane: int, at: datetime, limit: int) -> list[Row]:
        """Return up to ``limit`` due rows of a lane, to be given to ``complete``."""
        now = text_of(at)
        return read_rows(self._alias, "due_in_lane", now, lane, now, limit)

    def complete(self, rows: Iterable[Row], at: datetime) -> list[Due]:
        """Return the due people of these rows, each with their dossier.

        Of somebody about whom what is on file cannot be read the dossier says so.
        """
        lines = list(map(_Line._make, rows))
        try:
            return self._complete(lines, at)
        except RekindleError:
            raise
        except Exception:  # something on file about one of them is damaged
            return [due for line in lines for due in self._complete_alone(line, at)]

    def _complete_alone(self, line: _Line, at: datetime) -> Iterator[Due]:
        try:
            yield from self._complete([line], at)
        except RekindleError:
            raise
        except Exception as error:
            told = f"what is on file cannot be read: {type(error).__name__}: {error}"
            try:
                enrolment = _enrolment(line, moment_reader(self._alias))
            except (ValueError, TypeError, KeyError):
                logger.exception("%s cannot be read in %s", line.person, line.journey)
                return
            yield Due(line.number, build_unreadable(enrolment, told), UNTOUCHED)

    def _complete(self, lines: Sequence[_Line], at: datetime) -> list[Due]:
        courses = {key: self._course(*key) for key in {line[2:4] for line in lines}}
        papers = self._load_papers(lines, courses, at)
        touches = self._load_touches(lines, papers.wishes, at)
        giving: Collection[str] = ()
        if any(course.giving for course in courses.values()):
            giving = {one.person for one in lines if one.position in courses[one[2:4]].giving}
        offers = load_past_offers(self._alias, giving, self._terms, at)
        look = _Look(
            self._terms,
            at,
            papers,
            touches=touches,
            stopped=self._versions.stopped(),
            listed=self._load_listed(lines, courses),
            offers=offers,
        )
        as_instant = moment_reader(self._alias)
        return [look.due(line, courses[line[2:4]], as_instant) for line in lines]

    def _course(self, name: str, number: int) -> _Course:
        key = (name, number)
        if key not in self._courses:
            journey = self._versions.find(*key).journey
            writing = [
                step.channel if isinstance(step, Send) else journey.sends[0].channel
                for step in journey.all_steps
            ]
            channels = tuple((one, self._terms.address_kind(one)) for one in writing)
            self._courses[key] = _Course(
                journey.purpose,
                journey.exits,
                channels,
                events_asked(journey, self._terms.offers),
                _giving(journey),
                _tested(journey),
            )
        return self._courses[key]

    def _load_papers(
        self, lines: Sequence[_Line], courses: Mapping[tuple[str, int], _Course], at: datetime
    ) -> Papers:
        alias = self._alias
        told = _people(line for line in lines if line.consents == UNSUMMED)
        suspects = _people(line for line in lines if line.may_be_suppressed)
        noted = _people(line for line in lines if line.is_noted)
        return Papers(
            statements=load_statements(alias, told, at),
            suppressed=load_suppressed(alias, suspects),
            wishes=load_wishes(alias, noted),
            exclusions=load_exclusions(alias, noted, at),
            events=self._load_events(lines, courses, at),
            withheld=load_withheld(alias, noted, self._terms),
        )

    def _load_listed(
        self, lines: Sequence[_Line], courses: Mapping[tuple[str, int], _Course]
    ) -> Mapping[str, Collection[str]]:
        """Return who has an address of a kind that cards list, for those whose step asks it."""
        kinds = {kind for course in courses.values() for _, kind in course.channels}
        if kinds.isdisjoint(LISTED):
            return {}
        asked: defaultdict[str, set[str]] = defaultdict(set)
        for line in lines:
            _, kind = courses[line.journey, line.version].channels[line.position]
            if kind in LISTED:
                asked[kind].add(line.person)
        return {kind: load_addresses(self._alias, who, kind) for kind, who in asked.items()}

    def _load_events(
        self, lines: Sequence[_Line], courses: Mapping[tuple[str, int], _Course], at: datetime
    ) -> dict[str, list[PastEvent]]:
        """Return what people did of what their journeys, or the house, ask about."""
        everybody = self._terms.events_asked
        asked = everybody.union(*(course.asks for course in courses.values()))
        if not asked or not lines:
            return {}
        asking = [one for one in lines if everybody or courses[one.journey, one.version].asks]
        as_instant = moment_reader(self._alias)
        since = min(as_instant(line.entered_at) for line in asking)
        since = min(since, at - self._terms.asked_since)
        return load_events(self._alias, "deeds_of", _people(asking), asked=asked, edge=since)

    def _load_touches(
        self, lines: Sequence[_Line], wishes: Mapping[str, Preferences], at: datetime
    ) -> dict[str, list[_Touch]]:
        touched = [(line.person, line.number) for line in lines if line.has_touches]
        if not touched:
            return {}
        since = counted_since(self._terms, wishes.values(), at)
        return _touches(fetch(self._alias, "touches_of", rows_of(touched), text_of(since)), at)


class _Look:
    """One look at a batch, with what is worth remembering from person to person."""

    def __init__(
        self,
        terms: BookRules,
        at: datetime,
        papers: Papers,
        *,
        touches: Mapping[str, Sequence[_Touch]],
        offers: Mapping[str, Sequence[HeldOffer]],
        stopped: frozenset[str],
        listed: Mapping[str, Collection[str]],
    ) -> None:
        self._listed = listed
        self._terms = terms
        self._at = at
        self._papers = papers
        self._touches = touches
        self._offers = offers
        self._stopped = stopped
        self._builder = DossierBuilder(terms, at)
        self._alike: dict[Row, Bearing] = {}

    def due(self, line: _Line, course: _Course, as_instant: AsInstant) -> Due:
        """Return one due person."""
        person, position = line.person, line.position
        enrolment = _enrolment(line, as_instant)
        ordered_at = None if line.ordered_at is None else as_instant(line.ordered_at)
        events = self._papers.events.get(person, ()) if self._papers.events else ()
        bearing = self._bearing(line, course, events)
        touches = self._touches.get(person, ()) if line.has_touches else ()
        if not touches and not self._offers:  # as most people
            exit = self._exit(enrolment, course, ordered_at, events)
            dossier = self._builder.build_on(bearing, enrolment, exit=exit)
            steps = UNTOUCHED
        else:
            mine = [touch for touch in touches if touch.enrolment == line.number]
            gets_ghosts = enrolment.arm is Arm.HOLDOUT or bearing.known.is_withheld
            wish = bearing.known.preferences
            dossier = self._builder.build_on(
                bearing,
                enrolment,
                exit=self._exit(enrolment, course, ordered_at, events),
                sent=self._counted(touches, wish, gets_ghosts=gets_ghosts),
                touched_at=max(touch.at for touch in mine) if mine else None,
                offers=self._past_offers(person, gets_ghosts=gets_ghosts),
            )
            steps = frozenset([touch.step for touch in mine])
        tested = course.tested.get(position, "") if enrolment.rotation else ""
        return Due(line.number, dossier, steps, position in course.giving, tested)

    def _bearing(self, line: _Line, course: _Course, events: Sequence[PastEvent]) -> Bearing:
        """Return what is on file; of those whose cards say the same it is found once."""
        said, (channel, kind) = line.consents, course.channels[line.position]
        is_own = line.is_noted or line.may_be_suppressed or said == UNSUMMED or kind in LISTED
        if is_own or events:
            return self._builder.bearing_of(self._known(line, course, events))
        lives = line.country, line.timezone, line.phone
        key = (channel, kind, course.purpose, said, lives, line.has_address, line.is_erased)
        found = self._alike.get(key)
        if found is None:
            found = self._alike[key] = self._builder.bearing_of(self._known(line, course, ()))
        return found

    def _known(self, line: _Line, course: _Course, events: Sequence[PastEvent]) -> OnFile:
        papers, person = self._papers, line.person
        channel, kind = course.channels[line.position]
        statements = line.consents
        if statements == UNSUMMED:
            statements = papers.statements.get(person, "")
        wish = papers.wishes.get(person, NO_PREFERENCES) if line.is_noted else NO_PREFERENCES
        return OnFile(
            channel,
            course.purpose,
            last_word(statements, channel),
            (line.timezone, line.country, line.phone),
            self._is_reachable(kind, line),
            line.may_be_suppressed and papers.is_suppressed(person, channel, kind, course.purpose),
            bool(line.is_erased),
            wish,
            papers.exclusions.get(person) if line.is_noted else None,
            events,
            bool(papers.withheld) and person in papers.withheld,
        )

    def _past_offers(self, person: str, *, gets_ghosts: bool) -> tuple[PastOffer, ...]:
        """Return what the person was given. Ghosts stand for it in the untreated arm alone."""
        found = self._offers.get(person, ())
        return tuple(one.past for one in found if gets_ghosts or not one.is_ghost)

    def _is_reachable(self, kind: str, line: _Line) -> bool:
        """Return whether there is an address of a kind; whether a mail gets there, nobody knows."""
        if kind in LISTED:
            return line.person in self._listed.get(kind, ())
        if kind == AddressKind.EMAIL:
            return bool(line.has_address)
        return kind == AddressKind.PERSON or (kind == AddressKind.PHONE and is_dialable(line.phone))

    def _exit(
        self,
        enrolment: Enrolment,
        course: _Course,
        ordered_at: datetime | None,
        events: Sequence[PastEvent],
    ) -> Reason | None:
        """Return why the enrolment is over although open: it was written after the event."""
        if enrolment.journey in self._stopped:
            return Reason.STOPPED
        if (
            ordered_at is not None
            and SignalKind.ORDER in course.exits
            and ordered_at > (enrolment.last_order_at or enrolment.entered_at)
        ):
            return Reason.ORDER
        return exit_by(events, enrolment, course.exits) if events else None

    def _counted(
        self, touches: Iterable[_Touch], wish: Preferences, *, gets_ghosts: bool
    ) -> tuple[Sent, ...]:
        """Return what counts towards caps. Ghosts stand for sends in the untreated arm alone."""
        since = self._at - max(self._terms.longest_window, wish.at_most_every or NO_TIME)
        sends = (
            touch.sent
            for touch in touches
            if touch.sent is not None and (gets_ghosts or not touch.is_ghost)
        )
        found = [sent for sent in sends if sent.at > since]
        return tuple(sorted(found, key=lambda one: one.at))


def _giving(journey: Journey) -> frozenset[int]:
    """Return the places of the steps that may give an offer."""
    steps = enumerate(journey.all_steps)
    return frozenset(n for n, step in steps if isinstance(step, Send) and step.offer is not None)


def _tested(journey: Journey) -> dict[int, str]:
    """Return the steps that have variants, by their places."""
    steps = enumerate(journey.all_steps)
    return {n: step.key for n, step in steps if isinstance(step, Send) and step.variants}


def _people(lines: Iterable[_Line]) -> list[str]:
    return sorted({line.person for line in lines})


def _enrolment(line: _Line, as_instant: AsInstant) -> Enrolment:
    ordered = line.last_order_at
    return Enrolment(
        line.person,
        line.journey,
        line.version,
        line.rotation,
        ARMS[line.arm],
        as_instant(line.entered_at),
        None if ordered is None else as_instant(ordered),
        line.position,
        as_instant(line.ready_at),
        as_instant(line.due_at),
        line.wakes_on,
    )


def _touches(rows: Iterable[Row], at: datetime) -> dict[str, list[_Touch]]:
    found: dict[str, dict[tuple[int, str], _Touch]] = defaultdict(dict)
    for person, enrolment, step, channel, state, is_marketing, decided, left in rows:
        sent = None
        decided_at = instant_of(decided)
        if is_marketing and state in _PENDING:
            sent = Sent(channel_of(channel), at)
        elif is_marketing and state in _COUNTED:
            sent = Sent(channel_of(channel), instant_of(left))
        elif is_marketing and state == GHOST:
            sent = Sent(channel_of(channel), decided_at)
        found[person][enrolment, step] = _Touch(enrolment, step, state == GHOST, decided_at, sent)
    return {person: list(touches.values()) for person, touches in found.items()}
