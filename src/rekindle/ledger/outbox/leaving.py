"""Reads a batch of leased messages with everything the gate has to know once more.

A fixed few statements, however many messages: the messages with their enrolments and
cards, and one each for consents, suppressions, wishes, exclusions, exits and sends.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from rekindle.audiences import behaviours_in
from rekindle.consent import NO_PREFERENCES
from rekindle.gate import (
    BookRules,
    Dossier,
    DossierBuilder,
    Enrolment,
    OnFile,
    PastEvent,
    Sent,
)
from rekindle.journeys import Journey
from rekindle.ledger.book.addresses import NOWHERE, Held, address_of, load_addresses
from rekindle.ledger.hashing import touch_key
from rekindle.ledger.models import JourneyState
from rekindle.ledger.offers.reading import HeldOffer, load_given, load_past_offers
from rekindle.ledger.outbox.model import OutboxMessage
from rekindle.ledger.outbox.paying import Bill, pay_again
from rekindle.ledger.papers import (
    ARMS,
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
from rekindle.ledger.queries import Row, fetch, instant_of, instant_or_none, rows_of, text_of
from rekindle.ledger.statements import last_word
from rekindle.messages import Address, AddressKind, find_problem
from rekindle.offers import GivenOffer, PastOffer
from rekindle.vocabulary import Reason

FindJourney = Callable[[str, int], Journey]

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
    budgets: str
    budget_month: str
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
    address_hash: str
    phone_hash: str
    key: str


class _Beside(NamedTuple):
    """Another message of the same person, which may count towards a cap."""

    touch: int
    has_left: bool
    sent: Sent


@dataclass(frozen=True, slots=True)
class _Offers:
    """What goes with the messages of a batch, and what their people had beside it."""

    given: Mapping[int, GivenOffer]
    held: Mapping[str, Sequence[HeldOffer]]

    def beside(self, line: _Line) -> tuple[PastOffer, ...]:
        """Return what they have: of two that wait, the earlier goes first."""
        return tuple(
            one.past
            for one in self.held.get(line.person, ())
            if not one.is_ghost
            and one.touch != line.touch
            and (one.touch < line.touch or not one.is_waiting)
        )


NO_OFFERS = _Offers({}, {})


def load_messages(
    alias: str,
    find: FindJourney,
    touches: Iterable[int],
    *,
    lease: Lease,
    terms: BookRules,
    are_to_be_paid: bool = True,
) -> list[OutboxMessage]:
    """Return leased messages with their dossiers, the longest waiting first.

    What left already is not ``are_to_be_paid``: no budget is asked.
    """
    rows = fetch(alias, "leased_messages", rows_of((touch,) for touch in touches))
    lines = [_Line(*row) for row in rows]
    if not lines:
        return []
    journeys = {key: find(*key) for key in {(line.journey, line.version) for line in lines}}
    exits = frozenset().union(*(journey.exits for journey in journeys.values()))
    people = {line.person for line in lines}
    asked = frozenset().union(*(_asked(journey) for journey in journeys.values()))
    papers = load_papers(alias, people, asked | exits, terms, lease.at)
    bills = [_bill(line) for line in lines] if are_to_be_paid else []
    left = pay_again(alias, bills, terms, lease.at) if bills else {}
    given = load_given(alias, (line.touch for line in lines))
    held = load_past_offers(alias, {o.person for o in lines if o.touch in given}, terms, lease.at)
    offers = _Offers(given, held)
    beside = load_beside(alias, people, terms, papers, lease.at)
    listed = _load_listed(alias, lines, terms)
    look = _Look(terms, lease, papers, beside, left, listed, offers)
    return [look.message(line, journeys[line.journey, line.version]) for line in lines]


def load_standing(
    alias: str, find: FindJourney, touches: Iterable[int], *, lease: Lease, terms: BookRules
) -> list[tuple[int, Dossier, Journey]]:
    """Return touches, whatever became of them, with their dossiers as they are now.

    Caps and budgets are not asked of what has happened already.
    """
    rows = fetch(alias, "leased_messages", rows_of((touch,) for touch in touches))
    lines = [_Line(*row) for row in rows]
    journeys = {key: find(*key) for key in {(line.journey, line.version) for line in lines}}
    exits = frozenset().union(*(journey.exits for journey in journeys.values()))
    papers = load_papers(alias, {line.person for line in lines}, exits, terms, lease.at)
    look = _Look(terms, lease, papers, {}, {}, _load_listed(alias, lines, terms), NO_OFFERS)
    found = []
    for line in lines:
        journey = journeys[line.journey, line.version]
        found.append((line.touch, look.message(line, journey).dossier, journey))
    return found


def load_beside(
    alias: str, people: Collection[str], terms: BookRules, papers: Papers, at: datetime
) -> dict[str, list[_Beside]]:
    """Return the marketing of people that left, or may, since when it may count."""
    since = counted_since(terms, papers.wishes.values(), at)
    rows = fetch(alias, "sends_beside", rows_of((person,) for person in people), text_of(since))
    return _beside(rows, at)


def load_papers(
    alias: str, people: Collection[str], asked: frozenset[str], terms: BookRules, at: datetime
) -> Papers:
    """Return what is on file about people, and what they did of what is ``asked``."""
    asked |= terms.events_asked
    return Papers(
        statements=load_statements(alias, people, at),
        suppressed=load_suppressed(alias, people),
        wishes=load_wishes(alias, people),
        exclusions=load_exclusions(alias, people, at),
        events=load_events(alias, "newest_events_of", people, asked=asked, edge=at),
        withheld=load_withheld(alias, people, terms),
    )


class _Look:
    """The last look at a batch of messages."""

    def __init__(
        self,
        terms: BookRules,
        lease: Lease,
        papers: Papers,
        beside: Mapping[str, Sequence[_Beside]],
        left: Mapping[int, int],
        listed: Mapping[tuple[str, str], Held],
        offers: _Offers,
    ) -> None:
        self._listed = listed
        self._offers = offers
        self._left = left
        self._terms = terms
        self._lease = lease
        self._papers = papers
        self._beside = beside
        self._builder = DossierBuilder(terms, lease.at)

    def message(self, line: _Line, journey: Journey) -> OutboxMessage:
        """Return one message, as it is to be looked at."""
        channel = channel_of(line.channel)
        kind = self._terms.address_kind(channel)
        held = self._listed.get((line.person, kind), NOWHERE)
        address = address_of(
            kind, person=line.person, email=line.address, phone=line.phone, listed=held.value
        )
        return OutboxMessage(
            touch=line.touch,
            enrolment=line.enrolment,
            key=line.key
            or touch_key(line.person, line.journey, line.version, line.step, line.rotation),
            person=line.person,
            address=address.value,
            address_kind=address.kind,
            address_hash=held.hash or _hash_of(line, kind),
            journey=line.journey,
            version=line.version,
            step=line.step,
            template=line.template,
            variant=line.variant,
            channel=channel,
            cost_micros=line.cost_micros,
            created_at=instant_of(line.decided_at),
            expires_at=instant_of(line.expires_at),
            worker=self._lease.worker,
            lease=self._lease.length,
            dossier=self._dossier(line, journey, address),
            attempts=line.attempts,
            budget_left=self._left.get(line.touch),
            offer=self._offers.given.get(line.touch),
        )

    def _dossier(self, line: _Line, journey: Journey, address: Address) -> Dossier:
        person, papers = line.person, self._papers
        enrolment, channel = _enrolment(line, journey), channel_of(line.channel)
        known = OnFile(
            channel,
            journey.purpose,
            last_word(papers.statements.get(person, ""), channel),
            (line.timezone, line.country, line.phone),
            not find_problem(address),
            papers.is_suppressed(person, line.channel, address.kind, journey.purpose),
            bool(line.is_erased),
            papers.wishes.get(person, NO_PREFERENCES),
            papers.exclusions.get(person),
            papers.events.get(person, ()),
            person in papers.withheld,
        )
        return self._builder.build(
            enrolment,
            known,
            exit=_exit(line, enrolment, journey, known.events),
            sent=tuple(
                other.sent
                for other in self._beside.get(person, ())
                if other.touch != line.touch and (other.has_left or other.touch < line.touch)
            ),
            offers=self._offers.beside(line) if line.touch in self._offers.given else (),
        )


def _load_listed(
    alias: str, lines: Iterable[_Line], terms: BookRules
) -> dict[tuple[str, str], Held]:
    """Return where people are written to by channels of a kind that cards list."""
    asked: defaultdict[str, set[str]] = defaultdict(set)
    for line in lines:
        asked[terms.address_kind(channel_of(line.channel))].add(line.person)
    return {
        (person, kind): held
        for kind, people in asked.items()
        for person, held in load_addresses(alias, people, kind).items()
    }


def _hash_of(line: _Line, kind: str) -> str:
    """Return the keyed hash of the address of a kind."""
    if kind == AddressKind.EMAIL:
        return line.address_hash
    return line.phone_hash if kind == AddressKind.PHONE else ""


def _asked(journey: Journey) -> frozenset[str]:
    """Return what the conditions of a journey's messages ask of what people did."""
    conditions = (send.when for send in journey.sends if send.when is not None)
    return frozenset().union(*(behaviours_in(condition) for condition in conditions))


def _bill(line: _Line) -> Bill:
    channel = channel_of(line.channel)
    return Bill(
        line.touch, line.journey, channel, line.cost_micros, line.budgets, line.budget_month
    )


def _beside(rows: Iterable[Row], at: datetime) -> dict[str, list[_Beside]]:
    found: defaultdict[str, list[_Beside]] = defaultdict(list)
    for person, touch, channel, state, left_at in rows:
        has_left = state in _GONE
        left = instant_of(left_at) if has_left else at
        sent = Sent(channel_of(channel), left, is_pending=not has_left)
        found[person].append(_Beside(touch, has_left, sent))
    return found


def _exit(
    line: _Line, enrolment: Enrolment, journey: Journey, events: Iterable[PastEvent]
) -> Reason | None:
    """Return why the message has no business any more, though its journey may be over."""
    if line.ended_reason is not None and line.ended_reason != Reason.FINISHED:
        return Reason(line.ended_reason)
    if line.journey_state == JourneyState.STOPPED:
        return Reason.STOPPED
    return exit_by(events, enrolment, journey.exits)


def _enrolment(line: _Line, journey: Journey) -> Enrolment:
    return Enrolment(
        person=line.person,
        journey=line.journey,
        version=line.version,
        rotation=line.rotation,
        arm=ARMS[line.arm],
        entered_at=instant_of(line.entered_at),
        last_order_at=instant_or_none(line.last_order_at),
        position=line.position,
        ready_at=instant_of(line.expires_at) - journey.stale_after,
        due_at=instant_of(line.due_at),
    )
