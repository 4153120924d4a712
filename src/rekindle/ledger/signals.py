"""What people did ends what it must end, in the transaction that records it.

The book and the outbox both record signals (a purchase comes from an import, a
bounce from a refused delivery), so the rule has one place, here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from rekindle.journeys import Signal
from rekindle.ledger.queries import (
    execute,
    fetch,
    instant_of,
    instant_or_none,
    ledger_transaction,
    rows_of,
    text_of,
)
from rekindle.ledger.versions import Versions
from rekindle.vocabulary import Channel, Reason, SignalKind

STOPS = frozenset({SignalKind.OPT_OUT, SignalKind.COMPLAINT, SignalKind.BOUNCE})
"""What ends every enrolment of the person, whatever the journey says."""


def is_return(
    bought_at: datetime,
    entered_at: datetime,
    last_order_at: datetime | None,
    *,
    exits: Collection[SignalKind],
) -> bool:
    """Return whether a purchase ends an enrolment: newer than what was known at entry."""
    return SignalKind.ORDER in exits and bought_at > (last_order_at or entered_at)


def know_people(alias: str, people: Iterable[str]) -> None:
    """Make sure a card exists for each of these people, if only an empty one."""
    # In one order everywhere: two transactions that insert the same people wait, not lock.
    known = [(person,) for person in sorted(set(people))]
    execute(alias, "know_people", rows_of(known))


def record_signals(alias: str, versions: Versions, signals: Sequence[Signal], at: datetime) -> int:
    """Record signals and end what they end; return how many enrolments ended."""
    with ledger_transaction(alias):
        fresh = _append(alias, signals, at)
        if not fresh:
            return 0
        stops = [signal for signal in fresh if signal.kind in STOPS]
        _withdraw(alias, [stop for stop in stops if stop.kind is SignalKind.OPT_OUT])
        suppress_people(alias, [(stop.person, stop.kind.value, stop.at) for stop in stops])
        return _end(alias, _endings(alias, versions, fresh), at)


def suppress_people(alias: str, stops: Sequence[tuple[str, str, datetime]]) -> None:
    """Suppress (person, reason, at) on every channel there is."""
    rows = [
        (person, channel.value, reason, text_of(at))
        for person, reason, at in stops
        for channel in Channel
    ]
    if rows:
        execute(alias, "suppress", rows_of(rows))


def _append(alias: str, signals: Sequence[Signal], at: datetime) -> list[Signal]:
    by_key = {signal.key: signal for signal in reversed(signals)}
    if not by_key:
        return []
    know_people(alias, (signal.person for signal in signals))
    rows = [
        (signal.person, signal.kind.value, text_of(signal.at), key, text_of(at))
        for key, signal in by_key.items()
    ]
    new = {key for (key,) in fetch(alias, "add_signals", rows_of(rows))}
    return sorted((by_key[key] for key in new), key=lambda signal: (signal.at, signal.key))


def _withdraw(alias: str, opt_outs: Sequence[Signal]) -> None:
    rows = [
        (signal.person, channel.value, False, text_of(signal.at), SignalKind.OPT_OUT.value, "")
        for signal in opt_outs
        for channel in Channel
    ]
    if rows:
        execute(alias, "add_consents", rows_of(rows))


def _endings(alias: str, versions: Versions, signals: Iterable[Signal]) -> list[tuple[int, Reason]]:
    """Return which enrolments end and why: the person's earliest signal that ends one."""
    by_person: dict[str, list[Signal]] = defaultdict(list)
    for signal in signals:
        by_person[signal.person].append(signal)
    endings: list[tuple[int, Reason]] = []
    batch = rows_of((person,) for person in by_person)
    for row in fetch(alias, "stoppable_enrolments_of", batch):
        enrolment, person, journey, version, entered, ordered = row
        exits = versions.find(journey, version).journey.exits
        for signal in by_person[person]:
            if signal.kind in STOPS or is_return(
                signal.at, instant_of(entered), instant_or_none(ordered), exits=exits
            ):
                endings.append((enrolment, Reason(signal.kind.value)))
                break
    return endings


def _end(alias: str, endings: Sequence[tuple[int, Reason]], at: datetime) -> int:
    if not endings:
        return 0
    ends = [(enrolment, text_of(at), reason.value) for enrolment, reason in endings]
    stops = [(enrolment, reason.value) for enrolment, reason in endings]
    ended = execute(alias, "end_enrolments", rows_of(ends))
    execute(alias, "cancel_messages_of", rows_of(stops))
    return ended
