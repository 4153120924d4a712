"""Reads people who are due, with everything the gate needs to know of them.

One statement a lane says most of it. What few people have (earlier touches, wishes,
suppressions, deeds) is fetched for those few, in one statement each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from rekindle.consent import (
    NO_PREFERENCES,
    ConsentRecord,
    Exclusion,
    Permission,
    Preferences,
    decide_permission,
)
from rekindle.journeys import (
    Deed,
    Dossier,
    Enrolment,
    JourneyVersion,
    Send,
    Sent,
    Terms,
    events_asked,
    exit_reason,
    is_exit,
    resolve_zones,
)
from rekindle.ledger.bulk import moment_reader, read_rows
from rekindle.ledger.cancelling import BAR
from rekindle.ledger.queries import (
    Row,
    fetch,
    instant_of,
    instant_or_none,
    rows_of,
    text_of,
)
from rekindle.ledger.statements import sum_up
from rekindle.ledger.versions import Versions
from rekindle.vocabulary import Arm, Channel, Reason, SignalKind

_ARMS = {arm.value: arm for arm in Arm}
_CHANNELS = {channel.value: channel for channel in Channel}
_KINDS = {kind.value for kind in SignalKind} - {SignalKind.EVENT.value}
_PENDING = frozenset({"queued", "leased", "sending"})
_COUNTED = frozenset({"accepted", "unknown"})
GHOST = "ghost"
UNSUMMED = "?"  # in place of statements of which some are yet to come
NO_TIME = timedelta(0)
UNTOUCHED: frozenset[str] = frozenset()

AsInstant = Callable[[Any], datetime]


class Due(NamedTuple):
    """One due enrolment: its number, its dossier, and its steps that are touched."""

    number: int
    dossier: Dossier
    touched: frozenset[str]


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
    """What a version means for whoever is in it."""

    version: JourneyVersion
    channels: tuple[Channel, ...]
    asks: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Touch:
    """An earlier touch of a person; ``left_at`` is when it counts, None if not at all."""

    enrolment: int
    step: str
    is_ghost: bool
    at: datetime
    sent: Sent | None


@dataclass(slots=True)
class _Papers:
    """What is on file about the people of one batch, by person."""

    consents: Mapping[str, str] = field(default_factory=dict)
    suppressed: set[tuple[str, str]] = field(default_factory=set)
    wishes: Mapping[str, Preferences] = field(default_factory=dict)
    exclusions: Mapping[str, Exclusion] = field(default_factory=dict)
    deeds: Mapping[str, Sequence[Deed]] = field(default_factory=dict)
    touches: Mapping[str, Sequence[_Touch]] = field(default_factory=dict)


class DueReader:
    """Reads who is due in one ledger. Belongs to one book."""

    def __init__(self, alias: str, versions: Versions, terms: Terms) -> None:
        self._alias = alias
        self._versions = versions
        self._terms = terms
        self._courses: dict[tuple[str, int], _Course] = {}

    def read_lane(self, lane: int, at: datetime, limit: int) -> list[Row]:
        """Return up to ``limit`` due rows of a lane, to be given to ``complete``."""
        now = text_of(at)
        return read_rows(self._alias, "due_in_lane", now, lane, now, limit)

    def complete(self, rows: Iterable[Row], at: datetime) -> list[Due]:
        """Return the due people of these rows, each with their dossier."""
        lines = list(map(_Line._make, rows))
        courses = {key: self._course(*key) for key in {line[2:4] for line in lines}}
        papers = self._load_papers(lines, courses, at)
        look = _Look(self._terms, at, papers, stopped=self._versions.stopped())
        as_instant = moment_reader(self._alias)
        return [look.due(line, courses[line[2:4]], as_instant) for line in lines]

    def _course(self, journey: str, number: int) -> _Course:
        key = (journey, number)
        if key not in self._courses:
            version = self._versions.find(*key)
            steps = version.journey.all_steps
            channels = tuple(
                step.channel if isinstance(step, Send) else Channel.EMAIL for step in steps
            )
            self._courses[key] = _Course(version, channels, events_asked(version.journey))
        return self._courses[key]

    def _load_papers(
        self, lines: Sequence[_Line], courses: Mapping[tuple[str, int], _Course], at: datetime
    ) -> _Papers:
        papers = _Papers()
        alias, now = self._alias, text_of(at)
        if suspects := _people(line for line in lines if line.may_be_suppressed):
            found = fetch(alias, "suppressed_of", rows_of(suspects), rows_of(suspects))
            papers.suppressed = {(person, channel) for person, channel in found}
        if told := _people(line for line in lines if line.consents == UNSUMMED):
            rows = fetch(alias, "statements_of", rows_of(told))
            papers.consents = sum_up(row for row in rows if instant_of(row[3]) <= at)
        if wishing := _people(line for line in lines if line.is_noted):
            papers.wishes = _wishes(fetch(alias, "wishes_of", rows_of(wishing)))
            found = fetch(alias, "exclusions_of", rows_of(wishing), now, now)
            papers.exclusions = {person: Exclusion(kind) for person, kind in found}
        papers.deeds = self._load_deeds(lines, courses, at)
        touched = [(line.person, line.number) for line in lines if line.has_touches]
        if touched:
            own = [wish.at_most_every or NO_TIME for wish in papers.wishes.values()]
            since = text_of(at - max(self._terms.longest_window, *own, NO_TIME))
            papers.touches = _touches(fetch(alias, "touches_of", rows_of(touched), since), at)
        return papers

    def _load_deeds(
        self, lines: Sequence[_Line], courses: Mapping[tuple[str, int], _Course], at: datetime
    ) -> dict[str, list[Deed]]:
        """Return what people did of what their journeys, or the house, ask about."""
        bad = self._terms.bad_endings
        asking = [one for one in lines if bad or courses[one.journey, one.version].asks]
        if not asking:
            return {}
        asked = bad.union(*(courses[one.journey, one.version].asks for one in asking))
        kinds = {event if event in _KINDS else SignalKind.EVENT.value for event in asked}
        as_instant = moment_reader(self._alias)
        since = min(as_instant(line.entered_at) for line in asking)
        since = min(since, at - self._terms.cooling_off)
        rows = fetch(
            self._alias,
            "deeds_of",
            rows_of(_people(asking)),
            rows_of((word,) for word in sorted(kinds | asked)),
            text_of(since),
            text_of(since),
        )
        found: dict[str, list[Deed]] = defaultdict(list)
        for person, kind, name, happened_at in rows:
            event = name if kind == SignalKind.EVENT.value else kind
            if event in asked:
                found[person].append(Deed(event, instant_of(happened_at)))
        return found


class _Look:
    """One look at a batch, with what is worth remembering from person to person."""

    def __init__(
        self, terms: Terms, at: datetime, papers: _Papers, *, stopped: frozenset[str]
    ) -> None:
        self._terms = terms
        self._at = at
        self._papers = papers
        self._stopped = stopped
        self._zones: dict[tuple[str | None, ...], tuple[ZoneInfo, ...]] = {}
        self._permissions: dict[tuple[object, ...], Permission] = {}

    def due(self, line: _Line, course: _Course, as_instant: AsInstant) -> Due:
        """Return one due person."""
        papers, person = self._papers, line.person
        enrolment = _enrolment(line, as_instant)
        channel = course.channels[enrolment.position]
        ordered_at = None if line.ordered_at is None else as_instant(line.ordered_at)
        deeds = papers.deeds.get(person, ()) if papers.deeds else ()
        wish = papers.wishes.get(person, NO_PREFERENCES) if line.is_noted else NO_PREFERENCES
        touches = papers.touches.get(person, ()) if line.has_touches else ()
        mine = [touch for touch in touches if touch.enrolment == line.number] if touches else ()
        dossier = Dossier(
            enrolment,
            self._permission(line, enrolment, course, channel),
            bool(line.has_address),
            line.may_be_suppressed and (person, channel.value) in papers.suppressed,
            self._exit(enrolment, course, ordered_at, deeds),
            self._counted(touches, enrolment.arm, wish) if touches else (),
            self._zones_of(line),
            bool(line.is_erased),
            wish,
            self._exclusion(person, deeds) if line.is_noted or deeds else None,
            tuple(deed for deed in deeds if deed.at > enrolment.entered_at) if deeds else (),
            max(touch.at for touch in mine) if mine else None,
        )
        steps = frozenset([touch.step for touch in mine]) if mine else UNTOUCHED
        return Due(line.number, dossier, steps)

    def _zones_of(self, line: _Line) -> tuple[ZoneInfo, ...]:
        key = (line.timezone, line.country, line.phone)
        found = self._zones.get(key)
        if found is None:
            found = self._zones[key] = resolve_zones(*key, self._terms.zone)
        return found

    def _permission(
        self, line: _Line, enrolment: Enrolment, course: _Course, channel: Channel
    ) -> Permission:
        purpose = course.version.journey.purpose
        consents = line.consents
        if consents == UNSUMMED:
            consents = self._papers.consents.get(line.person, "")
        granted = _last_word(consents, channel)
        # A purchase may speak for a person only as long as they did not.
        bought = (line.country, enrolment.last_order_at) if granted is None else None
        key = (granted, purpose, bought)
        found = self._permissions.get(key)
        if found is None:
            found = self._permissions[key] = decide_permission(
                () if granted is None else (ConsentRecord("", channel, granted, self._at, ""),),
                purpose=purpose,
                country=line.country,
                last_purchase_at=enrolment.last_order_at,
                soft_opt_in=self._terms.soft_opt_in,
                at=self._at,
            )
        return found

    def _exit(
        self,
        enrolment: Enrolment,
        course: _Course,
        ordered_at: datetime | None,
        deeds: Iterable[Deed],
    ) -> Reason | None:
        """Return why the enrolment is over although open: it was written after the event."""
        if enrolment.journey in self._stopped:
            return Reason.STOPPED
        exits = course.version.journey.exits
        entered_at, last_order_at = enrolment.entered_at, enrolment.last_order_at
        if (
            ordered_at is not None
            and SignalKind.ORDER in exits
            and ordered_at > (last_order_at or entered_at)
        ):
            return Reason.ORDER
        for deed in deeds:
            if is_exit(
                deed.event,
                deed.at,
                exits=exits,
                entered_at=entered_at,
                last_order_at=last_order_at,
            ):
                return exit_reason(deed.event)
        return None

    def _exclusion(self, person: str, deeds: Iterable[Deed]) -> Exclusion | None:
        if (found := self._papers.exclusions.get(person)) is not None:
            return found
        since, bad = self._at - self._terms.cooling_off, self._terms.bad_endings
        is_cooling = any(deed.event in bad and since < deed.at <= self._at for deed in deeds)
        return Exclusion.COOLING_OFF if is_cooling else None

    def _counted(self, touches: Iterable[_Touch], arm: Arm, wish: Preferences) -> tuple[Sent, ...]:
        """Return what counts towards caps. Ghosts stand for sends in the untreated arm alone."""
        since = self._at - max(self._terms.longest_window, wish.at_most_every or NO_TIME)
        sends = (
            touch.sent
            for touch in touches
            if touch.sent is not None and (arm is Arm.HOLDOUT or not touch.is_ghost)
        )
        found = [sent for sent in sends if sent.at > since]
        return tuple(sorted(found, key=lambda one: one.at))


def _people(lines: Iterable[_Line]) -> list[tuple[str]]:
    return [(person,) for person in sorted({line.person for line in lines})]


def _enrolment(line: _Line, as_instant: AsInstant) -> Enrolment:
    ordered = line.last_order_at
    return Enrolment(
        line.person,
        line.journey,
        line.version,
        line.rotation,
        _ARMS[line.arm],
        as_instant(line.entered_at),
        None if ordered is None else as_instant(ordered),
        line.position,
        as_instant(line.ready_at),
        as_instant(line.due_at),
        line.wakes_on,
    )


@lru_cache
def _last_word(marks: str, channel: Channel) -> bool | None:
    """Return whether a person's last statement about a channel is a yes; None without any."""
    for mark in marks.split():
        if mark[:-1] == channel.value:
            return mark[-1] == "+"
    return None


def _wishes(rows: Iterable[Row]) -> dict[str, Preferences]:
    return {
        person: Preferences(
            snoozed_until=instant_or_none(snoozed_until),
            muted_topics=frozenset(filter(None, topics.split(BAR))),
            at_most_every=None if seconds is None else timedelta(seconds=seconds),
        )
        for person, snoozed_until, topics, seconds in rows
    }


def _touches(rows: Iterable[Row], at: datetime) -> dict[str, list[_Touch]]:
    found: dict[str, dict[tuple[int, str], _Touch]] = defaultdict(dict)
    for person, enrolment, step, channel, state, is_marketing, decided, left in rows:
        sent = None
        decided_at = instant_of(decided)
        if is_marketing and state in _PENDING:
            sent = Sent(_CHANNELS[channel], at)
        elif is_marketing and state in _COUNTED:
            sent = Sent(_CHANNELS[channel], instant_of(left))
        elif is_marketing and state == GHOST:
            sent = Sent(_CHANNELS[channel], decided_at)
        found[person][enrolment, step] = _Touch(enrolment, step, state == GHOST, decided_at, sent)
    return {person: list(touches.values()) for person, touches in found.items()}
