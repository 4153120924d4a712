"""The nouns of the outbox: a message on its way, and one that needs a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from rekindle.gate import Dossier
from rekindle.ledger.models import MessageState
from rekindle.messages import AddressKind
from rekindle.offers import GivenOffer
from rekindle.vocabulary import Channel, Reason, value_by_the_million


@value_by_the_million(frozen=True, slots=True)
class OutboxMessage:
    """A message this worker holds for as long as ``lease`` from its claim.

    ``key`` is the touch's identity as 64 hex digits: the same for ever, fit for a
    file name, a Message-ID and a provider's idempotency key. ``address`` is
    empty when the person has none any more; ``address_hash`` is what a suppression of it is
    kept by. ``attempts`` counts earlier tries.

    ``dossier`` is what the gate is to look at before the message leaves: as for a due
    enrolment, except that a journey that ran its course is no exit, and that sends are
    counted without this message and those decided after it that have not left, so
    that two that wait never block each other. ``budget_left`` is the least that is left for
    it in a budget that binds it, in micros. ``offer`` is what it brings.
    """

    touch: int
    enrolment: int
    key: str
    person: str
    address: str
    journey: str
    version: int
    step: str
    template: str
    variant: str
    channel: Channel
    cost_micros: int
    created_at: datetime
    expires_at: datetime
    worker: str
    lease: timedelta
    dossier: Dossier
    attempts: int = 0
    address_kind: str = AddressKind.EMAIL.value
    address_hash: str = ""
    budget_left: int | None = None
    offer: GivenOffer | None = None


@dataclass(frozen=True, slots=True)
class Recovered:
    """How many messages of lost workers went back to the queue, or became unknown."""

    queued: int
    unknown: int


@dataclass(frozen=True, slots=True)
class StuckMessage:
    """A message that needs a person: refused, given up, or of unknown fate.

    ``at`` is when it was last tried; ``error`` the provider's last word.
    """

    key: str
    person: str
    journey: str
    version: int
    step: str
    state: MessageState
    reason: Reason | None
    error: str
    attempts: int
    created_at: datetime
    at: datetime
