"""Whose permission runs out by law, before it does.

Only a purchase or an inquiry can run out, so only those are looked at whose is as old as the
law lets one become; whether it then is all that speaks for them, the rules say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import ibis

from rekindle.consent import (
    PENDING_EVENT,
    ConsentRecord,
    decide_permission,
    lasting_months,
    source_of,
)
from rekindle.journeys import Person, Signal, standing_of
from rekindle.ledger import find_suppressed, ledger_transaction
from rekindle.messages import Address, find_problem
from rekindle.profiles import LAST_PURCHASE, list_last_purchases
from rekindle.runtime import Workspace
from rekindle.vocabulary import Channel, Purpose, SignalKind

# Months have 28 to 31 days; whoever is looked at for nothing costs next to nothing.
SLACK = timedelta(days=4)
LONGEST_MONTH = timedelta(days=31)
BATCH = 2_000
EVENT = "consent_expiring"
UNCONFIRMED = "unconfirmed"
SUBJECT = "expiring consent"
"""What the log calls a look for them."""


@dataclass(frozen=True, slots=True)
class Expiring:
    """One permission that runs out: whose, on which channel, when, and by which rule."""

    person: str
    channel: Channel
    until: datetime
    rule: str
    law: str
    source: str
    place: str

    def as_record(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {**asdict(self), "channel": self.channel.value, "until": self.until.isoformat()}


def find_expiring(workspace: Workspace, *, within: timedelta, at: datetime) -> list[Expiring]:
    """Return the permissions that hold at ``at`` and end ``within``, the first to end first."""
    inquirers = _inquirers(workspace, within, at)
    bought = _buyers(workspace, within, at, inquirers)
    people = sorted(bought.keys() | inquirers)
    found = [
        one
        for begin in range(0, len(people), BATCH)
        for one in _judge(workspace, people[begin : begin + BATCH], bought, at)
        if one.until <= at + within
    ]
    return sorted(found, key=lambda one: (one.until, one.person, one.channel))


def find_unconfirmed(workspace: Workspace, *, within: timedelta, at: datetime) -> list[Expiring]:
    """Return each yes that waits for a confirmation and can be confirmed no more ``within``."""
    lasting = workspace.config.consent.confirm_within
    people = workspace.history.people_who_did([PENDING_EVENT], since=at - lasting - SLACK, until=at)
    cards = workspace.history.people(people)
    found = [
        Expiring(
            person, channel, one.at + lasting, UNCONFIRMED, "", one.source, _place(cards, person)
        )
        for (person, channel), one in workspace.book.unconfirmed(people, at).items()
        if one.at + lasting <= at + within
    ]
    return sorted(found, key=lambda one: (one.until, one.person, one.channel))


def announce_expiring(workspace: Workspace, at: datetime) -> int:
    """Let the event ``consent_expiring`` begin for whose permission runs out soon, once each.

    Return how many people there are now. Where the configuration names no time, nothing is
    asked; it is looked once a local day.
    """
    within = workspace.config.consent.ask_before
    if within is None:
        return 0
    today = at.astimezone(workspace.zone).date()
    last = workspace.audit_log.entries(SUBJECT, limit=1)
    if last and last[0].at.astimezone(workspace.zone).date() >= today:
        return 0
    found = find_expiring(workspace, within=within, at=at)
    signals = [
        Signal(
            one.person, SignalKind.EVENT, at, f"{EVENT}:{one.person}:{one.until:%Y-%m-%d}", EVENT
        )
        for one in found
    ]
    with ledger_transaction(workspace.ledger):
        workspace.book.record(signals, at)
        workspace.audit_log.write("worker", "looked for", SUBJECT, {"found": len(found)}, at)
    return len({one.person for one in found})


def _buyers(
    workspace: Workspace, within: timedelta, at: datetime, others: set[str]
) -> dict[str, datetime]:
    """Return who last bought as long ago as the law lets a purchase count, and when the others."""
    if not workspace.has_facts:
        return {}
    table = list_last_purchases(workspace.profiles(at, "customer_id", *LAST_PURCHASE))
    last = table.bought_at
    spans = [
        last.between(ibis.literal(first), ibis.literal(latest))
        for first, latest in _spans(lasting_months("purchase"), within, at)
    ]
    if others:
        spans.append(table.customer_id.isin(sorted(others)))
    if not spans:
        return {}
    rows = workspace.engine.run(table.filter(ibis.or_(*spans))).to_pylist()
    return {row["customer_id"]: row["bought_at"] for row in rows}


def _inquirers(workspace: Workspace, within: timedelta, at: datetime) -> set[str]:
    """Return who inquired as long ago as the law lets an inquiry count."""
    asked = workspace.terms.inquiries
    found: set[str] = set()
    for first, latest in _spans(lasting_months("inquiry"), within, at) if asked else ():
        found |= set(workspace.history.people_who_did(asked, since=first, until=latest))
    return found


def _spans(
    months: Iterable[int], within: timedelta, at: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Yield between which instants something lies that runs out after so many months."""
    for count in sorted(set(months)):
        yield at - count * LONGEST_MONTH - SLACK, at + within - count * timedelta(days=28) + SLACK


def _judge(
    workspace: Workspace, people: list[str], bought: dict[str, datetime], at: datetime
) -> Iterator[Expiring]:
    history = workspace.history
    cards = history.people(people)
    said: defaultdict[str, list[ConsentRecord]] = defaultdict(list)
    for record in history.consents_among(people):
        said[record.person].append(record)
    terms = workspace.terms
    channels = [name for name in terms.channels if terms.needs_consent(name)]
    suppressed = find_suppressed(
        workspace.ledger,
        people,
        {name: terms.address_kind(name) for name in channels},
        Purpose.MARKETING,
    )
    for person in people:
        card = cards.get(person)
        if card is None:
            continue
        signals = history.signals_of(person) if terms.inquiries else ()
        for channel in channels:
            if (person, channel) in suppressed or not _reaches(workspace, card, channel):
                continue
            own = [one for one in said[person] if one.channel == channel]
            standing = standing_of(
                workspace.terms, channel, card, bought_at=bought.get(person), signals=signals, at=at
            )
            found = decide_permission(own, standing, purpose=Purpose.MARKETING, at=at)
            if found.is_granted and found.until is not None:
                source, place = source_of(found.law), card.country or ""
                yield Expiring(
                    person, channel, found.until, found.rule.value, found.law, source, place
                )


def _place(cards: Mapping[str, Person], person: str) -> str:
    card = cards.get(person)
    return "" if card is None else card.country or ""


def _reaches(workspace: Workspace, card: Person, channel: Channel) -> bool:
    kind = workspace.terms.address_kind(channel)
    return not find_problem(Address(kind, card.address_of(kind) or ""))
