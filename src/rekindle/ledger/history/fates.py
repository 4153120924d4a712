"""What became of the messages of a journey after they left, and the queries that say so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connections

from rekindle.ledger.queries import fetch, instant_of, ledger_errors, ledger_transaction, statement
from rekindle.messages import DeliveryKind
from rekindle.vocabulary import Channel


@dataclass(frozen=True, slots=True)
class FateEntry:
    """One message that left, or may have, and what its person did with it.

    ``clicked_at`` and ``opened_at`` are of people, the oldest first. ``has_bounced``: for good.
    """

    person: str
    rotation: int
    step: str
    channel: Channel
    variant: str
    offer: str
    at: datetime
    cost_micros: int
    clicked_at: tuple[datetime, ...]
    opened_at: tuple[datetime, ...]
    has_bounced: bool


def load_fates(alias: str, journey: str) -> Sequence[FateEntry]:
    """Return every message of a journey that left, or may have, in the order of decision.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    heard: defaultdict[tuple[int, str], list[datetime]] = defaultdict(list)
    with ledger_transaction(alias):
        messages = fetch(alias, "fates_of", journey)
        told = fetch(alias, "heard_of", journey)
    for touch, kind, at in told:
        heard[touch, kind].append(instant_of(at))
    return [
        FateEntry(
            person,
            rotation,
            step,
            Channel(channel),
            variant,
            offer,
            instant_of(at),
            cost,
            clicked_at=tuple(heard.get((touch, DeliveryKind.CLICKED.value), ())),
            opened_at=tuple(heard.get((touch, DeliveryKind.OPENED.value), ())),
            has_bounced=(touch, DeliveryKind.BOUNCED.value) in heard,
        )
        for touch, person, rotation, step, channel, variant, offer, at, cost in messages
    ]


def load_agreed(alias: str, channel: str) -> frozenset[str]:
    """Return who said yes to a channel, or to a use like it, and not no since.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    return frozenset(row[0] for row in fetch(alias, "newest_statements", channel))


@ledger_errors()
def write_query(alias: str, name: str) -> str:
    """Return a named query as this ledger's database reads it, to be looked at."""
    return statement(name, connections[alias].vendor).strip()
