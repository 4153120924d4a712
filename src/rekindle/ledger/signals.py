"""What people did ends what it must end, in the transaction that records it.

The book and the outbox both record signals (a purchase comes from an import, a
bounce from a refused delivery), so the rule has one place, here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from rekindle.consent import ANSWERS, LIFTED_BY_DEEDS, Suppression, Whom, suppression_by
from rekindle.gate import BookRules
from rekindle.journeys import (
    Journey,
    Signal,
    exit_reason,
    is_exit,
    is_stopped_by,
    is_woken,
)
from rekindle.ledger.cancelling import Suppressed as Bound
from rekindle.ledger.cancelling import (
    cancel_messages_of,
    end_enrolled_stays,
    end_suppressed_stays,
    has_stays,
    take_back_from,
)
from rekindle.ledger.queries import (
    Row,
    execute,
    fetch,
    instant_of,
    instant_or_none,
    ledger_transaction,
    rows_of,
    text_of,
    text_or_none,
)
from rekindle.ledger.statements import note_people, sum_consents_up
from rekindle.ledger.versions import Versions
from rekindle.vocabulary import STOPS, Channel, Purpose, Reason, SignalKind

EVERY = "*"
"""How a suppression is stored that holds for every channel, or for every purpose."""

NOTHING_REPORTED: Mapping[str, Sequence[Reported]] = MappingProxyType({})

LIFTED = "-"
"""Where a suppression holds that was lifted: nowhere. Its row stays, as all rows do."""


class Reported(Protocol):
    """An event that is on record already, as one that was reported."""

    @property
    def person(self) -> str | None:
        """Return whose it is, which is known."""

    @property
    def kind(self) -> SignalKind | None:
        """Return what it is taken for, which is something."""

    def reported(self, person: str) -> Signal:
        """Return the signal it is."""


Suppressed = tuple[str, Suppression, datetime, str]
"""Who is suppressed, how far, since when, and the hash of an address that was named."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """An enrolment a signal may end or wake."""

    number: int
    person: str
    journey: Journey
    entered_at: datetime
    last_order_at: datetime | None
    wakes_on: str
    due_at: datetime


def know_people(alias: str, people: Iterable[str]) -> None:
    """Make sure a card exists for each of these people, if only an empty one."""
    # In one order everywhere: two transactions that insert the same people wait, not lock.
    known = [(person,) for person in sorted(set(people))]
    if known:
        execute(alias, "know_people", rows_of(known))


def hold_people(alias: str, people: Iterable[str]) -> None:
    """Hold these people's open enrolments until the commit.

    Whoever is to change messages and enrolments in one transaction begins here, so that
    everybody takes both in one order and nobody waits in a circle.
    """
    fetch(alias, "hold_open_of", rows_of((person,) for person in sorted(set(people))))


def hold_person(alias: str, *people: str) -> None:
    """Hold open enrolments and cards until the commit: what is read of these people stays so."""
    hold_people(alias, people)
    fetch(alias, "hold_cards", rows_of((person,) for person in sorted(set(people))))


def record_signals(
    alias: str,
    versions: Versions,
    terms: BookRules,
    signals: Sequence[Signal],
    at: datetime,
    reported: Mapping[str, Sequence[Reported]] = NOTHING_REPORTED,
) -> Counter[Reason]:
    """Record signals and end what they end; return how many enrolments ended, by reason.

    ``reported`` are on record already, by person, and act with the others. The ``address`` of
    a signal is its keyed hash here.
    """
    with ledger_transaction(alias):
        fresh = _append(alias, [signal for signal in signals if signal.at <= at], at)
        if not fresh and not reported:
            return Counter()
        fresh.sort(key=lambda signal: (signal.at, signal.key))
        stops = [signal for signal in fresh if signal.kind in STOPS]
        if stops:
            hold_people(alias, {signal.person for signal in fresh})
        _withdraw(alias, terms, [stop for stop in stops if stop.kind is SignalKind.OPT_OUT])
        suppress_people(
            alias,
            terms,
            _suppressions(alias, terms, stops),
        )
        answering = {one.person for one in fresh if one.kind in ANSWERS}
        answering |= {who for who, told in reported.items() if any(o.kind in ANSWERS for o in told)}
        end_silence(alias, answering)
        return _consequences(alias, versions, _about_cards(alias, fresh), reported, at)


def _suppressions(alias: str, terms: BookRules, stops: Sequence[Signal]) -> list[Suppressed]:
    """Return how far each stop reaches, by what it is and the law of where its person lives."""
    batch = rows_of((person,) for person in sorted({stop.person for stop in stops}))
    rows = fetch(alias, "lives_of", batch) if stops else ()
    lives = {person: (country, phone) for person, country, phone in rows}
    found = []
    for stop in stops:
        country, phone = lives.get(stop.person, (None, None))
        places = terms.places_of(stop.channel, country, phone)
        reach = suppression_by(stop.kind, stop.channel, places=places, on=stop.at.date())
        found.append((stop.person, reach, stop.at, stop.address))
    return found


def end_silence(alias: str, people: Collection[str]) -> None:
    """Let people who did something be written to again, in the caller's transaction.

    Of the rest nothing is asked: whoever is left alone for a silence has it noted on their card.
    """
    if people:
        reasons = rows_of((reason,) for reason in sorted(LIFTED_BY_DEEDS))
        execute(alias, "answered", reasons, rows_of((one,) for one in sorted(people)))


def suppress_people(alias: str, terms: BookRules, stops: Sequence[Suppressed]) -> None:
    """Suppress people or addresses, as far as each suppression reaches."""
    if not stops:
        return
    rows: dict[Whom, list[Row]] = {Whom.PERSON: [], Whom.ADDRESS: []}
    for person, one, at, hashed in stops:
        channel = EVERY if one.channel is None else one.channel.value
        purpose = EVERY if one.purpose is None else one.purpose.value
        row = (person, channel, purpose, one.reason, text_of(at), _kind_of(terms, channel))
        rows[one.whom].append((*row, hashed) if one.whom is Whom.ADDRESS else row)
    if people := rows[Whom.PERSON]:
        _suppress(alias, people)
    if addresses := rows[Whom.ADDRESS]:
        execute(alias, "suppress_addresses", rows_of(addresses))
    note_people(alias, {person for person, *_ in stops})
    take_back_from(alias, {person for person, *_ in stops})
    # Asked once: a list of a hundred thousand is suppressed in one go.
    for person, one, at, hashed in stops if has_stays(alias) else ():
        is_marketing = one.purpose is Purpose.MARKETING
        bound = Bound(person, one.channel, is_marketing, one.reason, hashed)
        end_suppressed_stays(alias, bound, at)


def suppress_again(alias: str, terms: BookRules, people: Collection[str]) -> None:
    """Let what these people said bind addresses that came to be known as theirs since."""
    if not people:
        return
    said = fetch(alias, "suppressions_said", rows_of((one,) for one in sorted(people)), LIFTED)
    if said:
        stops = [(*one, _kind_of(terms, one[1])) for one in said]
        _suppress(alias, stops)


def _suppress(alias: str, people: Sequence[Row]) -> None:
    """Suppress people at every address they have, on their cards and beside them."""
    execute(alias, "suppress", rows_of(people), rows_of(people))
    execute(alias, "suppress_secondary", rows_of(people))


def _kind_of(terms: BookRules, channel: str) -> str:
    """Return the kind of address a suppression's channel writes to; "" where it is every one."""
    return "" if channel == EVERY else terms.address_kind(Channel(channel))


def end_enrolments(alias: str, endings: Sequence[tuple[int, Reason]], at: datetime) -> int:
    """End enrolments whose places are held; count them.

    What has not left is cancelled, but for whoever went through every step: the last
    message is still to go.
    """
    if not endings:
        return 0
    execute(alias, "leave_places", rows_of((number,) for number, _ in endings))
    rows = rows_of((number, text_of(at), reason.value) for number, reason in endings)
    ended = execute(alias, "end_enrolments", rows)
    stopped = [ending for ending in endings if ending[1] is not Reason.FINISHED]
    cancel_messages_of(alias, stopped)
    # Who turned out to be somebody else is judged anew: the other's journey may go on.
    gone = [ending for ending in stopped if ending[1] is not Reason.JOINED]
    end_enrolled_stays(alias, gone, at)
    return ended


def _append(alias: str, signals: Sequence[Signal], at: datetime) -> list[Signal]:
    by_key = {signal.key: signal for signal in reversed(signals)}
    if not by_key:
        return []
    know_people(alias, (signal.person for signal in signals))
    rows = [
        (
            one.person,
            one.kind.value,
            _name(one),
            text_of(one.at),
            key,
            text_of(at),
            one.source,
            one.subject,
            text_or_none(one.arrived_at),
        )
        # In one order everywhere: two that insert the same keys wait, not lock.
        for key, one in sorted(by_key.items())
    ]
    new = {key for (key,) in fetch(alias, "add_signals", rows_of(rows))}
    return [by_key[key] for key in new]


def _name(signal: Signal) -> str:
    return signal.name if signal.kind is SignalKind.EVENT else ""


def _about_cards(alias: str, signals: Sequence[Signal]) -> list[Signal]:
    """Leave out bounces of addresses that people do not have any more: these end nothing."""
    named = {one.person for one in signals if one.kind is SignalKind.BOUNCE and one.address}
    if not named:
        return list(signals)
    rows = fetch(alias, "hashes_of", rows_of((person,) for person in sorted(named)))
    cards = {person: hashes for person, *hashes in rows}
    return [
        one
        for one in signals
        if one.kind is not SignalKind.BOUNCE
        or not one.address
        or one.address in cards.get(one.person, ())
    ]


def _withdraw(alias: str, terms: BookRules, opt_outs: Sequence[Signal]) -> None:
    """Write opt-outs down as withdrawals: of the channel each names, or of every one."""
    everywhere = {channel.value for channel in terms.channels}
    if any(signal.channel is None for signal in opt_outs):
        batch = rows_of((signal.person,) for signal in opt_outs)
        everywhere |= {channel for _, channel, *_ in fetch(alias, "statements_of", batch)}
    rows = [
        (signal.person, channel, False, text_of(signal.at), SignalKind.OPT_OUT.value, "")
        for signal in opt_outs
        for channel in (sorted(everywhere) if signal.channel is None else [signal.channel.value])
    ]
    if rows:
        fetch(alias, "add_consents", rows_of(rows))
        sum_consents_up(alias, {signal.person for signal in opt_outs})


def _consequences(
    alias: str,
    versions: Versions,
    signals: Iterable[Signal],
    reported: Mapping[str, Sequence[Reported]],
    at: datetime,
) -> Counter[Reason]:
    """End what the signals end, and wake who waits for one of them; count the ended.

    Most people who report something are in no journey, and nothing is made of theirs.
    """
    by_person: dict[str, list[Signal]] = defaultdict(list)
    for signal in signals:
        by_person[signal.person].append(signal)
    batch = rows_of((person,) for person in by_person.keys() | reported.keys())
    waiting = [_read(row, versions) for row in fetch(alias, "hold_open_of", batch)]
    finished = [_read(row, versions) for row in fetch(alias, "finished_but_reaching", batch, batch)]
    for who in {one.person for one in (*waiting, *finished)} & reported.keys():
        by_person[who] += [one.reported(who) for one in reported[who]]
        by_person[who].sort(key=lambda signal: (signal.at, signal.key))
    reasons = {one.number: _reason(one, by_person[one.person]) for one in (*waiting, *finished)}
    endings = [(number, reason) for number, reason in reasons.items() if reason is not None]
    woken = [
        (one.number, text_of(at))
        for one in waiting
        if reasons[one.number] is None and _wakes(one, by_person[one.person], at)
    ]
    if woken:
        execute(alias, "look_at", rows_of(woken))
    end_enrolments(alias, endings, at)
    # Who had gone through every step has ended already; only the last message is held back.
    told = (reasons[one.number] for one in waiting)
    return Counter(reason for reason in told if reason is not None)


def _read(row: Row, versions: Versions) -> _Ended:
    number, person, journey, version, entered, ordered, wakes_on, due = row
    return _Ended(
        number=number,
        person=person,
        journey=versions.find(journey, version).journey,
        entered_at=instant_of(entered),
        last_order_at=instant_or_none(ordered),
        wakes_on=wakes_on,
        due_at=instant_of(due),
    )


def _reason(one: _Ended, signals: Iterable[Signal]) -> Reason | None:
    """Return why an enrolment ends: the person's earliest signal that ends it."""
    for signal in signals:
        if signal.kind in STOPS:
            is_over = is_stopped_by(signal, one.journey)
        else:
            is_over = is_exit(
                signal.event,
                signal.at_for(one.entered_at),
                exits=one.journey.exits,
                entered_at=one.entered_at,
                last_order_at=one.last_order_at,
            )
        if is_over:
            return exit_reason(signal.event)
    return None


def _wakes(one: _Ended, signals: Iterable[Signal], at: datetime) -> bool:
    if not one.wakes_on or one.due_at <= at:
        return False
    return any(is_woken(one.wakes_on, signal.event) for signal in signals)
