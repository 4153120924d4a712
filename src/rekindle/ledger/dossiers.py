"""Reads a batch of due enrolments with everything the gate needs to know of them.

Five statements, however many people: the enrolments with their cards, and one each
for consents, suppressions, purchases and sends.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from rekindle.consent import ConsentRecord, decide_permission
from rekindle.journeys import Dossier, Enrolment, Send, Sent
from rekindle.ledger.queries import (
    Row,
    fetch,
    instant_of,
    instant_or_none,
    rows_of,
    text_of,
)
from rekindle.ledger.signals import is_return
from rekindle.ledger.versions import Versions
from rekindle.vocabulary import Arm, Channel, Reason, SignalKind

_ARMS = {arm.value: arm for arm in Arm}
_CHANNELS = {channel.value: channel for channel in Channel}


@dataclass(frozen=True, slots=True)
class Terms:
    """What a workspace decided once that bears on every dossier."""

    soft_opt_in: bool
    longest_window: timedelta


@dataclass(frozen=True, slots=True)
class _Papers:
    """What is on file about the people of one batch, by person."""

    consents: dict[tuple[str, Channel], list[ConsentRecord]]
    suppressed: set[tuple[str, str]]
    orders: dict[str, datetime]
    sends: dict[str, list[Sent]]
    sends_and_ghosts: dict[str, list[Sent]]


def load_dossiers(
    alias: str, versions: Versions, at: datetime, *, limit: int, terms: Terms
) -> list[Dossier]:
    """Return the dossiers of up to ``limit`` due enrolments, the longest waiting first."""
    rows = fetch(alias, "due_enrolments", text_of(at), limit)
    if not rows:
        return []
    papers = _load_papers(alias, {row[0] for row in rows}, since=at - terms.longest_window)
    return [_dossier(row, papers, versions, terms=terms, at=at) for row in rows]


def _load_papers(alias: str, people: Collection[str], *, since: datetime) -> _Papers:
    batch = rows_of((person,) for person in people)
    sends = fetch(alias, "sends_of", batch, text_of(since))
    return _Papers(
        consents=_consents(fetch(alias, "consents_of", batch)),
        suppressed={(row[0], row[1]) for row in fetch(alias, "suppressed_of", batch, batch)},
        orders={person: instant_of(at) for person, at in fetch(alias, "newest_orders_of", batch)},
        sends=_sends(row for row in sends if not row[-1]),
        sends_and_ghosts=_sends(sends),
    )


def _consents(rows: Iterable[Row]) -> dict[tuple[str, Channel], list[ConsentRecord]]:
    found: dict[tuple[str, Channel], list[ConsentRecord]] = defaultdict(list)
    for person, channel, granted, at, source, wording in rows:
        found[person, _CHANNELS[channel]].append(
            ConsentRecord(
                person=person,
                channel=_CHANNELS[channel],
                granted=granted,
                at=instant_of(at),
                source=source,
                wording=wording,
            )
        )
    return found


def _sends(rows: Iterable[Row]) -> dict[str, list[Sent]]:
    found: dict[str, list[Sent]] = defaultdict(list)
    for person, channel, at, _ in rows:
        found[person].append(Sent(_CHANNELS[channel], instant_of(at)))
    return found


def _dossier(
    row: Row, papers: _Papers, versions: Versions, *, terms: Terms, at: datetime
) -> Dossier:
    country, address = row[-2:]
    enrolment = _enrolment(row)
    person = enrolment.person
    journey = versions.find(enrolment.journey, enrolment.version).journey
    step = journey.steps[enrolment.position]
    assert isinstance(step, Send)  # an enrolment's position always names one
    # Ghosts stand for sends in the untreated arm alone: nobody else misses those.
    sends = papers.sends_and_ghosts if enrolment.arm is Arm.HOLDOUT else papers.sends
    return Dossier(
        enrolment=enrolment,
        permission=decide_permission(
            papers.consents.get((person, step.channel), ()),
            purpose=journey.purpose,
            country=country,
            last_purchase_at=enrolment.last_order_at,
            soft_opt_in=terms.soft_opt_in,
            at=at,
        ),
        is_reachable=bool(address),
        is_suppressed=(person, step.channel.value) in papers.suppressed,
        exit=_exit(enrolment, papers.orders.get(person), exits=journey.exits),
        sent=tuple(sends.get(person, ())),
    )


def _exit(
    enrolment: Enrolment, bought_at: datetime | None, *, exits: Collection[SignalKind]
) -> Reason | None:
    """Return why the enrolment is over although open: it was written after the purchase."""
    if bought_at is None:
        return None
    entered_at, last_order_at = enrolment.entered_at, enrolment.last_order_at
    return Reason.ORDER if is_return(bought_at, entered_at, last_order_at, exits=exits) else None


def _enrolment(row: Row) -> Enrolment:
    person, journey, version, rotation, arm, entered, ordered, position, ready, due = row[:10]
    return Enrolment(
        person=person,
        journey=journey,
        version=version,
        rotation=rotation,
        arm=_ARMS[arm],
        entered_at=instant_of(entered),
        last_order_at=instant_or_none(ordered),
        position=position,
        ready_at=instant_of(ready),
        due_at=instant_of(due),
    )
