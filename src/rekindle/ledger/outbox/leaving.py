"""Reads a batch of leased messages with everything the gate has to know once more.

A fixed few statements, however many messages: the messages with their enrolments and
cards, and one each for consents, suppressions, wishes, exclusions, exits and sends.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

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
    Journey,
    Sent,
    Terms,
    exit_reason,
    is_exit,
    resolve_zones,
)
from rekindle.ledger.cancelling import BAR
from rekindle.ledger.models import JourneyState
from rekindle.ledger.outbox.model import OutboxMessage, touch_key
from rekindle.ledger.queries import Row, fetch, instant_of, instant_or_none, rows_of, text_of
from rekindle.vocabulary import Arm, Channel, Reason, SignalKind

FindJourney = Callable[[str, int], Journey]

_ARMS = {arm.value: arm for arm in Arm}
_CHANNELS = {channel.value: channel for channel in Channel}
_KINDS = {kind.value for kind in SignalKind} - {SignalKind.EVENT.value}
_GONE = frozenset({"accepted", "unknown"})


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds messages, and for how long from when on."""

    worker: str
    at: datetime
    length: timedelta


class _Line(NamedTuple):
    """One row of ``leased_messages``, its columns in order."""

    touch: int
    enrolment: int
    person: str
    version: int
    step: str
    channel: str
    template: str
    variant: str
    decided_at: str
    expires_at: str
    attempts: int
    cost_micros: int
    journey: str
    rotation: int
    arm: str
    entered_at: str
    last_order_at: str | None
    position: int
    due_at: str
    ended_reason: str | None
    journey_state: str | None
    address: str | None
    country: str | None
    timezone: str | None
    phone: str | None
    is_erased: bool


class _Beside(NamedTuple):
    """Another message of the same person, which may count towards a cap."""

    touch: int
    has_left: bool
    sent: Sent


@dataclass(frozen=True, slots=True)
class _Papers:
    """What is on file about the people of one batch, by person."""

    consents: Mapping[tuple[str, Channel], Sequence[ConsentRecord]]
    suppressed: frozenset[tuple[str, str]]
    wishes: Mapping[str, Preferences]
    exclusions: Mapping[str, Exclusion]
    events: Mapping[str, Sequence[Deed]]
    beside: Mapping[str, Sequence[_Beside]]


def load_messages(
    alias: str, find: FindJourney, touches: Iterable[int], *, lease: Lease, terms: Terms
) -> list[OutboxMessage]:
    """Return leased messages with their dossiers, the longest waiting first."""
    rows = fetch(alias, "leased_messages", rows_of((touch,) for touch in touches))
    lines = [_Line(*row) for row in rows]
    if not lines:
        return []
    journeys = {key: find(*key) for key in {(line.journey, line.version) for line in lines}}
    exits = frozenset().union(*(journey.exits for journey in journeys.values()))
    papers = _load_papers(alias, {line.person for line in lines}, exits, lease.at, terms)
    return [
        _message(line, journeys[line.journey, line.version], papers, lease=lease, terms=terms)
        for line in lines
    ]


def _load_papers(
    alias: str, people: Iterable[str], exits: frozenset[str], at: datetime, terms: Terms
) -> _Papers:
    batch, now = rows_of((person,) for person in people), text_of(at)
    wishes = _wishes(fetch(alias, "wishes_of", batch))
    own = (wish.at_most_every for wish in wishes.values() if wish.at_most_every is not None)
    since = text_of(at - max(terms.longest_window, *own, timedelta(0)))
    asked = exits | terms.bad_endings
    kinds = {name if name in _KINDS else SignalKind.EVENT.value for name in sorted(asked)}
    excluded = fetch(alias, "exclusions_of", batch, now, now)
    return _Papers(
        consents=_consents(fetch(alias, "consents_of", batch)),
        suppressed=frozenset(
            (row[0], row[1]) for row in fetch(alias, "suppressed_of", batch, batch)
        ),
        wishes=wishes,
        exclusions={person: Exclusion(kind) for person, kind in excluded},
        events=_events(
            fetch(alias, "newest_events_of", batch, rows_of((w,) for w in kinds | asked), now, now)
        ),
        beside=_beside(fetch(alias, "sends_beside", batch, since), at),
    )


def _wishes(rows: Iterable[Row]) -> dict[str, Preferences]:
    return {
        person: Preferences(
            snoozed_until=instant_or_none(snoozed_until),
            muted_topics=frozenset(filter(None, topics.split(BAR))),
            at_most_every=None if seconds is None else timedelta(seconds=seconds),
        )
        for person, snoozed_until, topics, seconds in rows
    }


def _consents(rows: Iterable[Row]) -> dict[tuple[str, Channel], list[ConsentRecord]]:
    found: defaultdict[tuple[str, Channel], list[ConsentRecord]] = defaultdict(list)
    for person, word, granted, at, source, wording in rows:
        channel = _CHANNELS[word]
        record = ConsentRecord(person, channel, bool(granted), instant_of(at), source, wording)
        found[person, channel].append(record)
    return found


def _events(rows: Iterable[Row]) -> dict[str, list[Deed]]:
    found: defaultdict[str, list[Deed]] = defaultdict(list)
    for person, kind, name, at in rows:
        event = name if kind == SignalKind.EVENT else kind
        found[person].append(Deed(event, instant_of(at)))
    return found


def _beside(rows: Iterable[Row], at: datetime) -> dict[str, list[_Beside]]:
    found: defaultdict[str, list[_Beside]] = defaultdict(list)
    for person, touch, channel, state, left_at in rows:
        has_left = state in _GONE
        left = instant_of(left_at) if has_left else at
        sent = Sent(_CHANNELS[channel], left, is_pending=not has_left)
        found[person].append(_Beside(touch, has_left, sent))
    return found


def _message(
    line: _Line, journey: Journey, papers: _Papers, *, lease: Lease, terms: Terms
) -> OutboxMessage:
    person, expires_at = line.person, instant_of(line.expires_at)
    return OutboxMessage(
        touch=line.touch,
        enrolment=line.enrolment,
        key=touch_key(person, line.journey, line.version, line.step, line.rotation),
        person=person,
        address=line.address or "",
        journey=line.journey,
        version=line.version,
        step=line.step,
        template=line.template,
        variant=line.variant,
        channel=_CHANNELS[line.channel],
        cost_micros=line.cost_micros,
        created_at=instant_of(line.decided_at),
        expires_at=expires_at,
        worker=lease.worker,
        lease=lease.length,
        dossier=_dossier(line, journey, papers, at=lease.at, terms=terms),
        attempts=line.attempts,
    )


def _dossier(
    line: _Line, journey: Journey, papers: _Papers, *, at: datetime, terms: Terms
) -> Dossier:
    person = line.person
    enrolment = _enrolment(line, journey)
    return Dossier(
        enrolment=enrolment,
        permission=_permission(line, journey, papers, at=at, terms=terms),
        is_reachable=bool(line.address),
        is_suppressed=(person, line.channel) in papers.suppressed,
        exit=_exit(line, enrolment, journey, papers.events.get(person, ())),
        sent=tuple(
            other.sent
            for other in papers.beside.get(person, ())
            if other.touch != line.touch and (other.has_left or other.touch < line.touch)
        ),
        zones=resolve_zones(line.timezone, line.country, line.phone, terms.zone),
        is_erased=bool(line.is_erased),
        preferences=papers.wishes.get(person, NO_PREFERENCES),
        exclusion=_exclusion(person, papers, at=at, terms=terms),
    )


def _permission(
    line: _Line, journey: Journey, papers: _Papers, *, at: datetime, terms: Terms
) -> Permission:
    return decide_permission(
        papers.consents.get((line.person, _CHANNELS[line.channel]), ()),
        purpose=journey.purpose,
        country=line.country,
        last_purchase_at=instant_or_none(line.last_order_at),
        soft_opt_in=terms.soft_opt_in,
        at=at,
    )


def _exclusion(person: str, papers: _Papers, *, at: datetime, terms: Terms) -> Exclusion | None:
    since = at - terms.cooling_off
    for one in papers.events.get(person, ()):
        if one.event in terms.bad_endings and one.at > since:
            return papers.exclusions.get(person, Exclusion.COOLING_OFF)
    return papers.exclusions.get(person)


def _exit(
    line: _Line, enrolment: Enrolment, journey: Journey, events: Iterable[Deed]
) -> Reason | None:
    """Return why the message has no business any more, though its journey may be over."""
    if line.ended_reason not in {None, Reason.FINISHED.value}:
        return Reason(line.ended_reason)
    if line.journey_state == JourneyState.STOPPED.value:
        return Reason.STOPPED
    for one in events:
        if is_exit(
            one.event,
            one.at,
            exits=journey.exits,
            entered_at=enrolment.entered_at,
            last_order_at=enrolment.last_order_at,
        ):
            return exit_reason(one.event)
    return None


def _enrolment(line: _Line, journey: Journey) -> Enrolment:
    return Enrolment(
        person=line.person,
        journey=line.journey,
        version=line.version,
        rotation=line.rotation,
        arm=_ARMS[line.arm],
        entered_at=instant_of(line.entered_at),
        last_order_at=instant_or_none(line.last_order_at),
        position=line.position,
        ready_at=instant_of(line.expires_at) - journey.stale_after,
        due_at=instant_of(line.due_at),
    )
